"""Graphs whose nodes fetch what they lack: `"download": true`, and a model's id on the Hub as `path`.

    graph_test.py FLOWQAT

A corpus of noise and a small random model come from two servers on loopback; nothing is fetched by `validate`.
"""

import json
import struct
import unittest

from support import archive, md5, noise
from server import Cut, File, Server, Silent, Status
import model_test
from model_test import ID

CONFIG = {
    "model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"], "vocab_size": 32, "pad_token_id": 0,
    "conv_dim": [16] * 7, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 64, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4,
}
PROCESSOR = {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": 16000, "do_normalize": True,
             "return_attention_mask": False, "padding_side": "right", "padding_value": 0.0, "feature_size": 1}


def flac(seconds=1):
    """Silence: a FLAC file of constant subframes, small enough to be written by hand."""
    rate, block = 16000, 4096
    samples = rate * seconds
    info = struct.pack(">HH", block, block) + bytes(6) + struct.pack(">Q", rate << 44 | 15 << 36 | samples) + bytes(16)
    data = b"fLaC" + b"\x80" + struct.pack(">I", len(info))[1:] + info
    for number in range(-(-samples // block)):
        size = min(block, samples - number * block)
        head = b"\xff\xf8" + bytes([0x75, 0x08, number]) + struct.pack(">H", size - 1)
        frame = head + bytes([crc(head, 0x07, 8)]) + bytes([0]) + bytes(2)
        data += frame + struct.pack(">H", crc(frame, 0x8005, 16))
    return data


def crc(data, polynomial, bits):
    value = 0
    for byte in data:
        value ^= byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value >> bits - 1 else 0)) & (1 << bits) - 1
    return value


class Run(model_test.Hub):
    def setUp(self):
        super().setUp()
        self.corpora = self.enterContext(Server())
        self.table = {}
        for split in ("train-clean-100", "dev-clean"):
            chapter = f"LibriSpeech/{split}/84/121123/84-121123"
            content = archive({"LibriSpeech/README.TXT": b"#", f"{chapter}.trans.txt": b"84-121123-0000 GO\n",
                               f"{chapter}-0000.flac": flac()})
            self.corpora.files[f"/{split}.tar.gz"] = File(content)
            self.table[split] = {"bytes": len(content), "md5": md5(content)}
        (self.root / "table.json").write_text(json.dumps(self.table))
        self.environment["FLOWQAT_LIBRISPEECH_TABLE"] = str(self.root / "table.json")
        self.data = self.root / "data" / "LibriSpeech"
        self.make_model()

    def make_model(self):
        """A run that makes a small model, which then is on the Hub."""
        config = self.root / "config"
        config.mkdir()
        (config / "config.json").write_text(json.dumps(CONFIG))
        (config / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
        self.write("make", {"start": {"type": "model", "config": str(config)},
                            "save": {"type": "checkpoint", "model": "start", "folder": "model"}})
        self.run_graph("make")
        self.publish({path.name: path.read_bytes() for path in (self.root / "runs/make/model").iterdir()})
        self.hub.requests.clear()

    def write(self, name, nodes):
        (self.root / f"{name}.json").write_text(json.dumps({"out": str(self.root / "runs" / name), "nodes": nodes}))

    def write_whole(self, **train):
        corpus = {"type": "librispeech", "root": str(self.data), "download": True, "base_url": self.corpora.url}
        self.write("whole", {
            "corpus": {**corpus, "splits": ["train-clean-100"]},
            "decode": {"type": "decode", "from": "corpus"},
            "batch": {"type": "batch", "from": "decode", "size": 1},
            "dev": {**corpus, "splits": ["dev-clean"]},
            "dev_decode": {"type": "decode", "from": "dev"},
            "dev_batch": {"type": "batch", "from": "dev_decode", "size": 1},
            "start": {"type": "model", "path": ID},
            "learn": {"type": "train", "model": "start", "audio": "batch", "epochs": 1, **train},
            "save": {"type": "checkpoint", "model": "learn"},
            "wer": {"type": "evaluate", "models": ["learn"], "audio": "dev_batch"}})

    def run_graph(self, name, *more):
        return self.succeed("--graph", self.root / f"{name}.json", *more)

    def graph(self, name="whole"):
        return "--graph", self.root / f"{name}.json"

    def requests(self):
        return self.hub.requests + self.store.requests + self.corpora.requests


class Graphs(Run):
    def test_validate_fetches_nothing_and_says_what_a_run_would(self):
        self.write_whole()
        result = self.succeed("validate", *self.graph())
        self.assertIn("valid", result.stdout)
        self.assertIn(f"start: a run begins with fetching {ID} to {self.model}, from {self.hub.url}", result.stdout)
        self.assertRegex(result.stdout, rf"corpus: .*train-clean-100\) to {self.data}, from {self.corpora.url}")
        self.assertEqual(self.requests(), [])
        self.assertFalse(self.data.exists())
        self.succeed("dot", *self.graph())
        self.succeed("nodes", "librispeech")
        self.assertEqual(self.requests(), [])

    def test_a_run_says_how_much_it_fetches_then_fetches_and_runs(self):
        self.write_whole()
        result = self.run_graph("whole")
        lines = result.stderr.splitlines()
        self.assertRegex(lines[0], rf"^start: fetching .* of {ID} .* to {self.model}, from {self.hub.url}$|^corpus: ")
        announced = [i for i, line in enumerate(lines) if ": fetching " in line]
        self.assertEqual(announced, [0, 1, 2])  # all of it before anything comes
        self.assertTrue((self.data / "train-clean-100").is_dir() and (self.data / "dev-clean").is_dir())
        self.assertIn(f"start: {ID} is in {self.snapshot}", lines)
        summary = json.loads((self.root / "runs/whole/summary.json").read_text())
        self.assertEqual(summary["utterances"], {"done": 2, "rejected": 0})
        self.hub.requests.clear(), self.store.requests.clear(), self.corpora.requests.clear()
        self.environment["HF_HUB_OFFLINE"] = "1"
        self.run_graph("whole", "--overwrite")
        self.assertEqual(self.requests(), [])

    def test_a_graph_that_cannot_run_fetches_nothing(self):
        self.write_whole(lr=-1)
        self.fail_with(*self.graph(), status=2)
        self.write_whole()
        self.fail_with(*self.graph(), "--set", "dev.splits=[]", status=2)
        self.assertIn("is none of LibriSpeech's", self.fail_with(*self.graph(), "--set", 'dev.splits=["dev-claen"]',
                                                                  status=2))
        self.assertIn("revision", self.fail_with(*self.graph(), "--set", "start.revision=a b", status=2))
        (self.root / "runs/whole").mkdir(parents=True)
        (self.root / "runs/whole/graph.json").write_text("{}")
        self.assertIn("holds a run already", self.fail_with(*self.graph(), status=2))
        self.assertEqual(self.requests(), [])

    def test_a_model_that_does_not_fit_is_found_before_the_corpus_comes(self):
        self.publish({**model_test.SMALL, "config.json": b'{"model_type": "bert"}', "model.safetensors": noise(10)})
        self.write_whole()
        self.assertIn('node "start", key "path"', self.fail_with(*self.graph(), status=2))
        self.assertEqual(self.corpora.requests, [])

    def test_failures_name_node_and_key_and_the_next_run_goes_on(self):
        self.write_whole()
        train = self.corpora.files["/train-clean-100.tar.gz"]
        train.troubles = [Cut(200), Status(404)]
        self.listing.troubles = [Status(404)]
        self.assertIn(f'node "start", key "path": {ID}: ', self.fail_with(*self.graph()))
        error = self.fail_with(*self.graph())
        self.assertIn(f'node "corpus", key "download": {self.corpora.url}/train-clean-100.tar.gz', error)
        self.assertFalse((self.root / "runs/whole").exists())
        self.run_graph("whole")
        self.assertEqual(self.corpora.asked("/train-clean-100.tar.gz")[-1].headers["range"], "bytes=200-")

    def test_an_interrupted_fetch_ends_as_an_interrupted_run_does(self):
        self.write_whole()
        self.corpora.files["/train-clean-100.tar.gz"].troubles = [Silent(after=200, for_s=60)]
        partial = self.data / "train-clean-100.tar.gz.partial"
        err = self.interrupt(lambda: partial.exists() and partial.stat().st_size == 200, *self.graph())
        self.assertIn("run the same again to go on", err)
        self.run_graph("whole")

    def test_without_download_nothing_is_fetched(self):
        self.write_whole()
        error = self.fail_with(*self.graph(), "--set", "corpus.download=false", "--set", "dev.download=false", status=2)
        self.assertIn("flowqat fetch", error)
        self.assertEqual(self.corpora.requests, [])

    def test_offline_is_told(self):
        self.write_whole()
        self.environment["HF_HUB_OFFLINE"] = "1"
        self.assertIn('node "start", key "path": someone/tiny-wav2vec2: is not whole in', self.fail_with(*self.graph()))
        self.assertEqual(self.requests(), [])

    def test_profile_fetches_its_corpus_and_the_reference_recipe_names_what_it_needs(self):
        self.write_whole()
        self.succeed("profile", *self.graph(), "--stream", "dev_batch", "--seconds", 0.1)
        self.assertEqual({request.path for request in self.requests()}, {"/dev-clean.tar.gz"})
        del self.environment["FLOWQAT_LIBRISPEECH_TABLE"]
        result = self.succeed("validate", "--graph", model_test.support.PROGRAM.parents[1] / "configs/full.json",
                              "--set", f"corpus.root={self.root}", "--set", f"dev_corpus.root={self.root}")
        self.assertIn("fetching 60.0 GB of LibriSpeech (train-clean-100, train-clean-360, train-other-500)",
                      result.stdout)
        self.assertIn("start: a run begins with fetching facebook/wav2vec2-base-960h", result.stdout)


if __name__ == "__main__":
    unittest.main()

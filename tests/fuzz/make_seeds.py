#!/usr/bin/env python3
"""Small sound inputs for the fuzz targets, and some that are wrong in a telling way.

    make_seeds.py FOLDER

A folder a target, of which libFuzzer makes more. Audio comes from the flac and ffmpeg programs where they are there;
everything else is written here.
"""

import gzip
import io
import json
import math
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import wave
from pathlib import Path

SEPARATOR = b"\n=====\n"
VOCABULARY = {token: i for i, token in enumerate(["<pad>", "<s>", "</s>", "<unk>", "|", "A", "B", "'", "TH"])}
PHONEMES = {token: i for i, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", "a", "aɪ", "tʃ", "ɛ̃"])}
CONFIG = {
    "model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"], "vocab_size": 32, "hidden_size": 32,
    "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "conv_dim": [16, 16],
    "conv_kernel": [10, 3], "conv_stride": [5, 2], "num_feat_extract_layers": 2, "conv_bias": True,
    "feat_extract_norm": "layer", "do_stable_layer_norm": True, "hidden_act": "gelu", "pad_token_id": 0,
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4, "layerdrop": 0.1, "layer_norm_eps": 1e-5,
    "mask_time_prob": 0.05, "ctc_loss_reduction": "mean", "adapter_attn_dim": None, "add_adapter": False,
}  # fmt: skip


def compact(value):
    return json.dumps(value, ensure_ascii=False).encode()


def joined(*parts):
    return SEPARATOR.join(part if isinstance(part, bytes) else compact(part) for part in parts)


def lines(*objects):
    return b"".join(compact(one) + b"\n" for one in objects)


def pcm(samples=600, channels=1):
    wanted = (int(9000 * math.sin(i * (0.07 + 0.05 * c))) for i in range(samples) for c in range(channels))
    return struct.pack(f"<{samples * channels}h", *wanted)


def wav(samples=600, channels=1, rate_hz=16000):
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(pcm(samples, channels))
    return file.getvalue()


def safetensors(**tensors):
    """name=(dtype, shape, bytes)"""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = compact(header)
    return struct.pack("<Q", len(text)) + text + data


def tar(members, **options):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", **options) as out:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if content is None:
                info.type = tarfile.DIRTYPE
            elif isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
            else:
                info.size = len(content)
            out.addfile(info, io.BytesIO(content) if isinstance(content, bytes) else None)
    return file.getvalue()


def index_entry(name, path, text):
    texts = [name, path, text, b"7", b""]  # none as long as 128 bytes, so a length is one byte
    return b"".join(bytes([len(value)]) + value for value in texts) + bytes([0, 0, 0])


class Audio:
    """Sound files of many kinds, as other programs write them."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        (self.root / "in.wav").write_bytes(wav(1600, 2))
        (self.root / "mono.wav").write_bytes(wav(4800, 1))

    def made_by(self, program, *arguments, name):
        path = self.root / name
        if shutil.which(program):
            subprocess.run([program, *arguments, str(path)], check=False, capture_output=True)
        return path.read_bytes() if path.exists() else None

    def all(self):
        yield "wav", wav()
        yield "wav-stereo", wav(300, 2, 44100)
        yield "wav-cut", wav()[:-100]
        for level in "058":
            source = str(self.root / "mono.wav")
            options = ["-s", f"-{level}", "--blocksize=1152", "--no-padding", "--no-seektable", source, "-o"]
            yield f"flac-{level}", self.made_by("flac", *options, name=f"{level}.flac")
        options = ["-s", "-8", "--blocksize=576", "--no-padding", str(self.root / "in.wav"), "-o"]
        yield "flac-stereo", self.made_by("flac", *options, name="stereo.flac")
        for name in ["a.mp3", "a.ogg", "a.opus", "a.m4a", "a.aiff", "a.au", "a.caf", "a.w64", "a.mka", "a.rf64", "a.wv",
                     "a.tta", "a.aac", "a.mp2", "a.webm", "a.amr", "a.ac3", "a.oga"]:  # fmt: skip
            source = "mono.wav" if name.endswith("amr") else "in.wav"
            more = ["-rf64", "always", "-f", "wav"] if name.endswith("rf64") else []
            options = ["-v", "quiet", "-y", "-i", str(self.root / source), "-fflags", "+bitexact", *more]
            yield name, self.made_by("ffmpeg", *options, name=name)


def seeds():
    yield "json", [
        b"\0" + compact(CONFIG),
        b"\1// why\n{\"a\": [1, -2.5e3, true, null, \"\\u00e4\\ud83d\\ude00\"] /* so */}",
        b"\2{\"a\": 1, \"a\": 2}",
        b"\0[1e400]",
        b"\0" + b"[" * 200,
    ]
    nodes = {
        "c": {"type": "numbers"},
        "f": {"type": "fill", "from": "c"},
        "b": {"type": "pack", "from": "f", "size": 2},
        "l": {"type": "listen", "audio": "b"},
    }
    graph = {"seed": 1, "threads": 2, "out": "runs/x", "comment": "why", "nodes": nodes}
    yield "graph_file", [
        joined(graph, b"seed=7\nb.size=3\nc.utterances=[1]\nout=some where"),
        joined({"nodes": {k: nodes[k] for k in "cfb"}}),
    ]
    nemo = [
        {"audio_filepath": "a.wav", "duration": 1.5, "text": "so it goes", "speaker": 7},
        {"audio_filepath": "b.wav", "offset": 0.5, "duration": 1, "text": None},
    ]
    cut = {
        "id": "c", "type": "MonoCut", "start": 0, "duration": 1, "channel": 0,
        "supervisions": [{"start": 0, "duration": 1, "text": "SO", "speaker": "ann"}],
        "recording": {"sources": [{"type": "file", "channels": [0], "source": "a.wav"}], "sampling_rate": 16000,
                      "num_samples": 16000, "duration": 1, "transforms": None},
    }  # fmt: skip
    yield "manifest", [
        kind + text
        for text in [lines(*nemo), lines(cut), b"/data\na.wav\t16000\nb/c.flac\t300\n", gzip.compress(lines(*nemo))]
        for kind in [b"\0", b"\1", b"\2", b"\3"]
    ]
    yield "librispeech", [b"1-2-0000 SO IT GOES\n1-2-0001 ON\n", b"\xef\xbb\xbf1-2-0000\tSO\r\n", b"1-2-0000 \xff\n"]
    shard = {"a/0.wav": wav(40), "a/0.txt": b"SO IT GOES", "a/0.json": compact({"text": "SO", "speaker": 7}),
             "b.flac": b"fLaC", "b.txt": b"ON"}  # fmt: skip
    yield "shard", [
        tar(shard),
        tar(shard, format=tarfile.GNU_FORMAT),
        tar({"x" * 120 + ".txt": b"A", "d": None, "l.wav": "a.wav"}, format=tarfile.PAX_FORMAT),
    ]
    sound = safetensors(a=("F32", [2, 1], bytes(8)), b=("I8", [3], b"123"), c=("BF16", [0, 4], b""))
    yield "safetensors", [sound, safetensors(), sound[:-1], struct.pack("<Q", 2**60) + b"{}"]
    index = {"metadata": {"total_size": 11}, "weight_map": {"a": "model-1.safetensors", "b": "model-1.safetensors"}}
    yield "weights_index", [joined(index, sound), joined({"weight_map": {"a": "../x"}}, sound)]
    yield "model_config", [compact(CONFIG), compact({**CONFIG, "conv_kernel": [2**62, 3]})]
    scheme = {"engine": "qnnpack", "symmetric_weights": True, "weight_bits": 8, "range": "percentile", "percentile": 99.9}
    yield "policy", [
        compact({"convolutions": "qnnpack", "attention": scheme, "head": "none",
                 "exceptions": [{"match": "*.k_proj", "choice": {"preset": "fbgemm", "averaging_constant": 0.5}}]}),
        compact({"feed_forward": {"preset": "fbgemm", "learned_step": True, "smoothing": 0.5}}),
    ]  # fmt: skip
    added = {"content": "[X]", "lstrip": True, "rstrip": False, "single_word": False, "special": True}
    characters = {"do_lower_case": True, "word_delimiter_token": "|", "added_tokens_decoder": {"9": added}}
    spoken = {"tokenizer_class": "Wav2Vec2PhonemeCTCTokenizer", "do_phonemize": False, "pad_token": {"content": "<pad>"}}
    yield "tokenizer", [
        joined(VOCABULARY, characters, b"", b"", "a that's [X] <unk> ä".encode()),
        joined(VOCABULARY, {}, {"unk_token": "<unk>", "bos_token": None}, {"[Y]": 9}, b"AB [Y]"),
        joined(PHONEMES, spoken, b"", b"", "a tʃ aɪ <s> q".encode()),
        joined({"deu": VOCABULARY, "eng": VOCABULARY}, {"target_lang": "deu"}, b"", b"", b"A B"),
    ]
    extractor = {"feature_size": 1, "sampling_rate": 16000, "do_normalize": True, "padding_value": 0.0,
                 "padding_side": "right", "return_attention_mask": False}  # fmt: skip
    yield "processor", [joined(extractor), joined(extractor, {"feature_extractor": extractor})]
    text = "So it goes, “isn't” it?\r\nstraße – É e\u0301 ﬁ 7 %\n{a,b{1..3}}.tar\n".encode()
    yield "text", [text, gzip.compress(text), gzip.compress(text)[:-6]]
    entries = [index_entry(b"a-1", b"/data/a.flac", b"SO IT GOES"), index_entry(b"a-2", b"/data/b.flac", b"")]
    yield "index_cache", [b"\0" + entries[0], b"\0" + entries[1], b"\1" + struct.pack("<9Q", 1, 1, 1, 3, 9, 0, 0, 0, 0)]
    yield "flac_subframe", [bytes([12, 4, 0, 1, 2, 3]), bytes([12, 8, 2] + list(range(60))),
                            bytes([20, 60, 0x14] + [0x55] * 200), bytes([12, 30, 0x4A] + [0x93] * 300)]  # fmt: skip
    yield "audio", {name: content for name, content in Audio().all() if content}
    plain = tar({"LibriSpeech/dev/1/2/1-2.trans.txt": b"1-2-0000 SO\n", "LibriSpeech/dev": None})
    yield "archive", [plain, gzip.compress(plain), tar({"../x": b"x"}), tar({"a": "/etc/passwd", "/b": b"x"})]
    names = ["config.json", "vocab.json", "model.safetensors", "model-00001-of-00002.safetensors"]
    yield "hub_listing", [compact({"sha": "0" * 40, "siblings": [{"rfilename": name} for name in names]})]
    state = {"step": "learn", "optimizer_steps": 3, "metrics_bytes": 10, "summary": {},
             "ledger": {"done": 3, "rejected": 0, "bytes": 0, "batches_sha256": "0" * 64}}  # fmt: skip
    yield "run_state", [compact(state), compact(graph)]


def main(folder):
    for target, inputs in seeds():
        place = Path(folder) / target
        place.mkdir(parents=True, exist_ok=True)
        named = inputs if isinstance(inputs, dict) else {str(i): one for i, one in enumerate(inputs)}
        for name, content in named.items():
            (place / f"seed-{name}").write_bytes(content)


if __name__ == "__main__":
    main(sys.argv[1])

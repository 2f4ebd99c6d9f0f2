"""Checkpoints as transformers writes them go through the program and come back: no warning, the same bits.

    saved_test.py FLOWQAT

Each case is a folder made by transformers. A graph of two nodes (model, checkpoint) loads and saves it, then
transformers loads what the program saved.
"""

import json
import logging
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import (
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    Wav2Vec2ForPreTraining,
    Wav2Vec2Processor,
)
from transformers.utils import logging as transformers_logging

PROGRAM = Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None
TOKENS = ["<pad>", "<s>", "</s>", "<unk>", "|"] + list("ETAONIHSRDLUMWCFGYPBVK'XJQZ")
SMALL = dict(
    vocab_size=32, hidden_size=24, num_hidden_layers=2, num_attention_heads=4, intermediate_size=40, conv_dim=[8, 8],
    conv_kernel=[10, 3], conv_stride=[5, 2], num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=4,
    num_codevectors_per_group=8, codevector_dim=8, proj_codevector_dim=8,
)  # fmt: skip
LAYER = dict(feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True)


def write_vocabulary(folder, tokens):
    folder.mkdir(exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "Wav2Vec2CTCTokenizer"}))


def make_folder(folder, differences=None, kind=Wav2Vec2ForCTC, **saving):
    torch.manual_seed(3)
    model = kind(Wav2Vec2Config(**SMALL | (differences or {})))
    model.save_pretrained(folder, **saving)
    Wav2Vec2FeatureExtractor(return_attention_mask=bool(differences)).save_pretrained(folder)
    write_vocabulary(folder, TOKENS)


def rewrite_weights(folder, change):
    path = folder / "model.safetensors"
    tensors = {name: value.contiguous().clone() for name, value in change(load_file(path)).items()}
    save_file(tensors, path, metadata={"format": "pt"})


def rewrite_config(folder, **fields):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def load(folder):
    """The model, and all that transformers had to complain about."""
    said = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())
    logger = logging.getLogger("transformers")
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            model, info = Wav2Vec2ForCTC.from_pretrained(folder, output_loading_info=True)
            Wav2Vec2Processor.from_pretrained(folder)
    finally:
        logger.removeHandler(handler)
    said += [str(warning.message) for warning in warned]
    said += [f"{key}: {value}" for key, value in info.items() if value]
    return model, said


class Saved(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.root = Path(self.temporary.name)
        self.folder = self.root / "published"

    def run_program(self, **keys):
        graph = {
            "out": str(self.root / "out"),
            "nodes": {
                "start": {"type": "model", "path": str(self.folder), "device": "cpu"} | keys,
                "save": {"type": "checkpoint", "model": "start", "folder": "model"},
            },
        }
        (self.root / "graph.json").write_text(json.dumps(graph))
        command = [PROGRAM, "--graph", self.root / "graph.json", "--overwrite"]
        run = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stderr

    def saved(self):
        model, said = load(self.root / "out" / "model")
        self.assertEqual(said, [])
        return model.state_dict()

    def check_same(self, expected=None, but=()):
        """What the program saves of the folder equals `expected`, or what transformers loads of the folder."""
        expected = Wav2Vec2ForCTC.from_pretrained(self.folder).float().state_dict() if expected is None else expected
        said = self.run_program()
        found = self.saved()
        self.assertEqual(found.keys(), expected.keys())
        for name in expected.keys() - set(but):
            self.assertEqual(found[name].dtype, torch.float32)
            self.assertTrue(torch.equal(found[name], expected[name]), name)
        return said

    def test_both_families(self):
        for differences in ({}, LAYER):
            make_folder(self.folder, differences)
            self.check_same()

    def test_shards(self):
        make_folder(self.folder, LAYER, max_shard_size="20KB")
        self.assertGreater(len(list(self.folder.glob("model-*.safetensors"))), 2)
        self.check_same()

    def test_older_names_of_the_weight_norm(self):
        make_folder(self.folder)
        newer = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}

        def rename(tensors):
            for name in list(tensors):
                for new, old in newer.items():
                    if name.endswith(new):
                        tensors[name.replace(new, old)] = tensors.pop(name)
            return tensors

        expected = Wav2Vec2ForCTC.from_pretrained(self.folder).state_dict()
        rewrite_weights(self.folder, rename)
        self.check_same(expected)

    def test_half_precision_is_saved_as_float(self):
        for dtype in (torch.float16, torch.bfloat16):
            make_folder(self.folder)
            model = Wav2Vec2ForCTC.from_pretrained(self.folder).to(dtype)
            model.save_pretrained(self.folder)
            self.assertEqual(json.loads((self.folder / "config.json").read_text())["dtype"], str(dtype).split(".")[1])
            self.check_same(model.float().state_dict())

    def test_no_mask_embedding(self):
        make_folder(self.folder)
        rewrite_weights(self.folder, lambda t: {k: v for k, v in t.items() if k != "wav2vec2.masked_spec_embed"})
        self.check_same(but=["wav2vec2.masked_spec_embed"])

    def test_a_model_that_never_masks(self):
        make_folder(self.folder, dict(mask_time_prob=0.0))
        self.check_same()

    def test_a_mask_embedding_in_a_model_that_never_masks(self):
        make_folder(self.folder)
        expected = Wav2Vec2ForCTC.from_pretrained(self.folder).state_dict()
        rewrite_config(self.folder, mask_time_prob=0.0)
        self.check_same(expected)

    def test_a_pretrained_checkpoint_gets_a_head(self):
        make_folder(self.folder, LAYER, kind=Wav2Vec2ForPreTraining)
        pretrained = load_file(self.folder / "model.safetensors")
        said = self.run_program()
        self.assertIn("tensors of the pretraining head", said)
        self.assertIn("has no CTC head: drew one for 32 tokens", said)
        found = self.saved()
        for name, value in found.items():
            if not name.startswith("lm_head."):
                self.assertTrue(torch.equal(value, pretrained[name]), name)
        self.assertAlmostEqual(found["lm_head.weight"].std().item(), 0.02, delta=0.003)
        config = json.loads((self.root / "out" / "model" / "config.json").read_text())
        self.assertEqual(config["architectures"], ["Wav2Vec2ForCTC"])

    def test_a_bare_model_gets_a_head(self):
        make_folder(self.folder)
        expected = Wav2Vec2ForCTC.from_pretrained(self.folder).state_dict()
        Wav2Vec2ForCTC.from_pretrained(self.folder).wav2vec2.save_pretrained(self.folder)
        self.assertIn("feature_projection.projection.weight", load_file(self.folder / "model.safetensors"))
        said = self.check_same(expected, but=["lm_head.weight", "lm_head.bias"])
        self.assertIn("has no CTC head", said)

    def test_a_vocabulary_of_its_own(self):
        make_folder(self.folder)
        write_vocabulary(self.root / "vocabulary", ["|", "x", "y", "<unk>", "<pad>", "<s>", "</s>"])
        said = self.run_program(vocabulary=str(self.root / "vocabulary"))
        self.assertIn("CTC head is for 32 tokens: drew a new one for 7 tokens", said)
        found, expected = self.saved(), Wav2Vec2ForCTC.from_pretrained(self.folder).state_dict()
        self.assertEqual(found["lm_head.weight"].shape, (7, 24))
        for name, value in expected.items():
            if not name.startswith("lm_head."):
                self.assertTrue(torch.equal(found[name], value), name)
        config = json.loads((self.root / "out" / "model" / "config.json").read_text())
        self.assertEqual((config["vocab_size"], config["pad_token_id"]), (7, 4))
        tokenizer = Wav2Vec2Processor.from_pretrained(self.root / "out" / "model").tokenizer
        self.assertEqual(tokenizer("xy x")["input_ids"], [1, 2, 0, 1])

    def test_as_many_other_tokens(self):
        make_folder(self.folder)
        write_vocabulary(self.root / "vocabulary", TOKENS[:5] + TOKENS[:4:-1])
        said = self.run_program(vocabulary=str(self.root / "vocabulary"))
        self.assertIn("CTC head is for other tokens", said)
        write_vocabulary(self.root / "vocabulary", TOKENS)
        self.assertNotIn("CTC head", self.run_program(vocabulary=str(self.root / "vocabulary")))
        published = load_file(self.folder / "model.safetensors")
        self.assertTrue(torch.equal(self.saved()["lm_head.weight"], published["lm_head.weight"]))

    def test_what_the_capture_would_catch(self):
        make_folder(self.folder)
        rewrite_weights(self.folder, lambda t: t | {"more": t.pop("lm_head.bias")})
        _, said = load(self.folder)
        self.assertTrue(any("missing_keys" in text and "lm_head.bias" in text for text in said), said)
        self.assertTrue(any("unexpected_keys" in text and "more" in text for text in said), said)
        self.assertGreater(len(said), 2, "and transformers' own warning")

    def test_an_unknown_field_is_told(self):
        make_folder(self.folder)
        rewrite_config(self.folder, layer_drop=0.5)
        self.assertIn('field "layer_drop" is none of wav2vec2\'s', self.run_program())

    def test_nothing_is_transcribed_without_a_head(self):
        make_folder(self.folder, kind=Wav2Vec2ForPreTraining)
        run = subprocess.run([PROGRAM, "transcribe", self.folder, "/no/such.wav"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn('missing "lm_head.bias"', run.stderr)
        self.assertIn("fine-tune it first", run.stderr)


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers_logging.disable_progress_bar()
    unittest.main()

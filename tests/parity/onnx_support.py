"""Small models, their exports, ONNX Runtime and OpenVINO, for the tests of exported files."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import soundfile
import torch
from safetensors.torch import load_file, save_file
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC
from transformers.utils import logging as transformers_logging

PROGRAM = Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None
TOKENS = ["<pad>", "<s>", "</s>", "<unk>", "|"] + list("ETAONIHSRDLUMWCFGYPBVK'XJQZ")
RATE_HZ = 16000
SMALL = dict(
    vocab_size=32, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96,
    conv_dim=[32, 32, 24], conv_kernel=[10, 3, 2], conv_stride=[5, 2, 2], num_feat_extract_layers=3,
    num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=4, initializer_range=0.1,
)  # fmt: skip
OPSETS = range(17, 26)
LAYER = dict(feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True)
POSITIONAL = "wav2vec2.encoder.pos_conv_embed.conv"
DIRECTION, LENGTH = f"{POSITIONAL}.parametrizations.weight.original1", f"{POSITIONAL}.parametrizations.weight.original0"


def has_vnni():
    flags = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")).split()
    return "avx512_vnni" in flags or "avx_vnni" in flags


def make_folder(folder, differences=None, mask=False):
    torch.manual_seed(5)
    model = Wav2Vec2ForCTC(Wav2Vec2Config(**SMALL | (differences or {})))
    with torch.no_grad():  # what initialization leaves at 0 or 1 would hide mistakes
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or "norm" in name:
                parameter += 0.1 * torch.randn_like(parameter)
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=mask).save_pretrained(folder)
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(TOKENS)}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "Wav2Vec2CTCTokenizer"}))


def speech(duration_s, seed):
    """A hum whose pitch and loudness change, and noise."""
    draw = np.random.default_rng(seed)
    time_s = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(120 + 60 * np.sin(2 * np.pi * draw.uniform(1, 3) * time_s)) / RATE_HZ
    loudness = np.clip(np.sin(2 * np.pi * draw.uniform(2, 4) * time_s), 0, 1)
    hum = sum(np.sin(k * phase) / k for k in (1, 2, 3, 5, 8))
    return (0.2 * loudness * hum + 0.01 * draw.standard_normal(time_s.size)).astype(np.float32)


def session(model, **settings):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    for name, value in settings.items():
        setattr(options, name, value)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(model, **inputs):
    return session(model).run(["logits"], inputs)[0]


def compiled_by_openvino(model):
    """In float32 wherever it computes in float: its default is bfloat16 where the processor has that, and activations
    quantized once more before weights in uint8."""
    import openvino

    core = openvino.Core()
    return core.compile_model(core.read_model(model), "CPU", {"EXECUTION_MODE_HINT": "ACCURACY", "INFERENCE_NUM_THREADS": 1})


def rewrite_weights(folder, change):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file({name: value.contiguous().clone() for name, value in tensors.items()}, path, metadata={"format": "pt"})


class Exported(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name)
        self.folder = self.root / "published"
        self.file = self.root / "onnx" / "model.onnx"

    def export(self, folder=None, *options, status=0):
        command = [PROGRAM, "export", folder or self.folder, "--onnx", self.file, "--overwrite", *map(str, options)]
        result = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(result.returncode, status, result.stderr)
        if status == 0:
            onnx.checker.check_model(str(self.file), full_check=True)
        return str(self.file) if status == 0 else result.stderr

    def batch(self, mask=False):
        """Two utterances of other lengths, normalized and padded, as the processor gives them."""
        extractor = Wav2Vec2FeatureExtractor(return_attention_mask=mask)
        return dict(extractor([speech(1.1, 1), speech(0.7, 2)], sampling_rate=RATE_HZ, padding=True, return_tensors="np"))


class ExportedInt8(Exported):
    """int8 folders come of a graph of model, calibrate and convert nodes."""

    def int8_folder(self, feature_extractor, encoder, recordings=None, convert=None, **more):
        (self.root / "speech").mkdir(exist_ok=True)
        for i, audio in enumerate(recordings or [speech(0.6 + 0.2 * i, 10 + i) for i in range(6)]):
            soundfile.write(self.root / "speech" / f"{i}.wav", audio, RATE_HZ)
        nodes = {
            "start": {"type": "model", "path": str(self.folder), "device": "cpu"},
            "files": {"type": "folder", "root": str(self.root / "speech")},
            "decode": {"type": "decode", "from": "files"},
            "normalize": {"type": "normalize", "from": "decode"},
            "batch": {"type": "batch", "from": "normalize", "size": 1},
            "observe": {"type": "calibrate", "model": "start", "audio": "batch", "batches": 6,
                        "feature_extractor": feature_extractor, "attention": encoder, "feed_forward": encoder} | more,
            "int8": {"type": "convert", "model": "observe", "folder": "int8"} | (convert or {}),
        }  # fmt: skip
        (self.root / "graph.json").write_text(json.dumps({"out": str(self.root / "out"), "nodes": nodes}))
        command = [PROGRAM, "--graph", self.root / "graph.json", "--overwrite"]
        result = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.root / "out" / "int8"

    def own_logits(self, folder, audio):
        soundfile.write(self.root / "heard.wav", audio, RATE_HZ, subtype="FLOAT")
        command = [PROGRAM, "transcribe", folder, self.root / "heard.wav", "--logits", self.root / "logits", "--overwrite"]
        result = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout, np.load(self.root / "logits" / "heard.npy")


def main():
    torch.set_num_threads(1)
    transformers_logging.disable_progress_bar()
    unittest.main()

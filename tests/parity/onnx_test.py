"""Exported ONNX files against transformers (float32) and against the program itself (int8), in ONNX Runtime.

    onnx_test.py FLOWQAT

Every case is a folder that transformers made; int8 folders come of a graph of model, calibrate and convert nodes.
"""

import json
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import soundfile
import torch
from safetensors.torch import load_file, save_file
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC, Wav2Vec2Processor
from transformers.utils import logging as transformers_logging

PROGRAM = Path(sys.argv.pop(1)) if len(sys.argv) > 1 else None
TOKENS = ["<pad>", "<s>", "</s>", "<unk>", "|"] + list("ETAONIHSRDLUMWCFGYPBVK'XJQZ")
RATE_HZ = 16000
SMALL = dict(
    vocab_size=32, hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96,
    conv_dim=[32, 32, 24], conv_kernel=[10, 3, 2], conv_stride=[5, 2, 2], num_feat_extract_layers=3,
    num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=4, initializer_range=0.1,
)  # fmt: skip
LAYER = dict(feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True)
POSITIONAL = "wav2vec2.encoder.pos_conv_embed.conv"
DIRECTION, LENGTH = f"{POSITIONAL}.parametrizations.weight.original1", f"{POSITIONAL}.parametrizations.weight.original0"


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


def rewrite_weights(folder, change):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file({name: value.contiguous().clone() for name, value in tensors.items()}, path, metadata={"format": "pt"})


class Onnx(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name)
        self.folder = self.root / "published"
        self.file = self.root / "onnx" / "model.onnx"

    def export(self, folder=None, status=0):
        command = [PROGRAM, "export", folder or self.folder, "--onnx", self.file, "--overwrite"]
        result = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(result.returncode, status, result.stderr)
        if status == 0:
            onnx.checker.check_model(str(self.file), full_check=True)
        return str(self.file) if status == 0 else result.stderr

    def batch(self, mask=False):
        """Two utterances of other lengths, normalized and padded."""
        extractor = Wav2Vec2FeatureExtractor(return_attention_mask=mask)
        rows = [speech(1.1, 1), speech(0.7, 2)]
        batch = extractor([row for row in rows], sampling_rate=RATE_HZ, padding=True, return_tensors="np")
        inputs = {name: np.asarray(value) for name, value in batch.items()}
        if mask:
            inputs["attention_mask"] = inputs["attention_mask"].astype(np.int64)
        return inputs

    def check_float(self, mask=False, expected=None):
        inputs = self.batch(mask)
        model = (expected or Wav2Vec2ForCTC.from_pretrained(self.folder)).eval()
        with torch.inference_mode():
            wanted = model(**{name: torch.tensor(value) for name, value in inputs.items()}).logits.numpy()
        found = run(self.export(), **inputs)
        self.assertEqual(found.shape, wanted.shape)
        self.assertGreater(wanted.std(), 0.1)
        self.assertLess(np.abs(found - wanted).max(), 2e-5)

    def int8_folder(self, feature_extractor, encoder):
        (self.root / "speech").mkdir(exist_ok=True)
        for i in range(6):
            soundfile.write(self.root / "speech" / f"{i}.wav", speech(0.6 + 0.2 * i, 10 + i), RATE_HZ)
        nodes = {
            "start": {"type": "model", "path": str(self.folder), "device": "cpu"},
            "files": {"type": "folder", "root": str(self.root / "speech")},
            "decode": {"type": "decode", "from": "files"},
            "normalize": {"type": "normalize", "from": "decode"},
            "batch": {"type": "batch", "from": "normalize", "size": 1},
            "observe": {"type": "calibrate", "model": "start", "audio": "batch", "batches": 6,
                        "feature_extractor": feature_extractor, "encoder": encoder},
            "int8": {"type": "convert", "model": "observe", "folder": "int8"},
        }  # fmt: skip
        (self.root / "graph.json").write_text(json.dumps({"out": str(self.root / "out"), "nodes": nodes}))
        command = [PROGRAM, "--graph", self.root / "graph.json", "--overwrite"]
        result = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        return self.root / "out" / "int8"

    def own_logits(self, folder, audio):
        soundfile.write(self.root / "heard.wav", audio, RATE_HZ, subtype="FLOAT")
        command = [PROGRAM, "transcribe", folder, self.root / "heard.wav", "--logits", self.root / "logits"]
        result = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout, np.load(self.root / "logits" / "heard.npy")

    def kernels(self):
        """How many nodes of each type ONNX Runtime makes of the file."""
        path = str(self.root / "optimized.onnx")
        session(str(self.file), optimized_model_filepath=path)
        return Counter(node.op_type for node in onnx.load(path).graph.node)

    def check_layers(self, folder, **inputs):
        """Each int8 layer's integers, from those that it was given, against sums in double precision."""
        model = onnx.load(str(self.file))
        layers = json.loads((folder / "quantization.json").read_text())["layers"]
        tensors = load_file(folder / "model.safetensors")
        producer = {node.output[0]: node for node in model.graph.node}
        consumer = {node.input[0]: node for node in model.graph.node}
        wanted = {}
        for node in list(model.graph.node):
            if node.name in layers:
                wanted[node.name] = (producer[node.input[0]].input[0], consumer[node.output[0]].output[0], node)
        self.assertEqual(wanted.keys(), layers.keys())
        names = sorted({name for pair in wanted.values() for name in pair[:2]})
        for name in names:
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.UINT8, None))
        values = dict(zip(names, session(model.SerializeToString()).run(names, inputs)))
        for name, (given, gave, node) in wanted.items():
            state, weight = layers[name], tensors[f"{name}.weight"].double()
            unit = tensors.get(f"{name}.weight_scale", torch.tensor(state["weight"].get("scale", 0.0))).double()
            unit = (unit * state["input"]["scale"]).reshape(-1)
            zero = torch.tensor(state["weight"]["zero_point"]).reshape(-1, *[1] * (weight.dim() - 1))
            x, w = torch.tensor(values[given]).double() - state["input"]["zero_point"], weight - zero
            bias = tensors.get(f"{name}.bias", torch.zeros(len(w))).double()
            if node.op_type == "Conv":
                attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
                x = torch.nn.functional.pad(x, attributes["pads"])
                y = torch.nn.functional.conv1d(x, w, None, attributes["strides"], groups=attributes["group"])
                y = y * unit[:, None] + bias[:, None]
            else:
                y = (x @ w.T) * unit + bias
            y = torch.round(y / state["output"]["scale"]) + state["output"]["zero_point"]
            steps = np.abs(y.clamp(0, 255).numpy() - values[gave].astype(np.float64))
            self.assertLessEqual(steps.max(), 1, name)  # the bias is rounded, and the scales are float32
            self.assertLess(np.count_nonzero(steps) / steps.size, 1e-3, name)
            self.assertGreater(values[gave].std(), 3, name)

    def check_int8(self, folder, seed=3):
        """Equal integers a layer. The float operations between layers differ in the last bit, which now and then
        tips a rounding; what comes of it stays well under what int8 itself changes."""
        audio = speech(1.3, seed)
        samples = Wav2Vec2FeatureExtractor()(audio, sampling_rate=RATE_HZ, return_tensors="np").input_values
        inputs = {"input_values": samples}
        if any(value.name == "attention_mask" for value in onnx.load(self.export(folder)).graph.input):
            inputs["attention_mask"] = np.ones(samples.shape, np.int64)
        self.check_layers(folder, **inputs)
        found = run(str(self.file), **inputs)[0]
        text, own = self.own_logits(folder, audio)
        _, unquantized = self.own_logits(self.folder, audio)
        self.assertEqual(found.shape, own.shape)
        self.assertLess(np.abs(found - own).mean(), 0.25 * np.abs(own - unquantized).mean())
        self.assertLess(np.abs(found - own).max(), np.abs(own - unquantized).max())
        processor = Wav2Vec2Processor.from_pretrained(self.file.parent)
        self.assertEqual(processor.batch_decode(found.argmax(-1)[None])[0].strip(), text.strip())
        self.assertGreater(len(text.strip()), 10)

    def test_both_families_in_float(self):
        for differences, mask in (({}, False), (LAYER, True), (LAYER, False), ({}, True)):
            with self.subTest(differences, mask=mask):
                make_folder(self.folder, differences, mask)
                self.check_float(mask)

    def test_mixed_families(self):
        for differences in (
            dict(conv_bias=True),
            dict(do_stable_layer_norm=True, num_conv_pos_embeddings=7),
            dict(feat_extract_norm="layer", num_conv_pos_embedding_groups=1, layer_norm_eps=1e-3),
        ):
            with self.subTest(differences):
                make_folder(self.folder, differences)
                self.check_float()

    def test_every_activation(self):
        for name in ("gelu", "gelu_new", "relu", "relu6", "leaky_relu", "silu", "mish", "hardswish", "sigmoid", "tanh"):
            with self.subTest(name):
                make_folder(self.folder, dict(hidden_act=name, feat_extract_activation=name))
                self.check_float()

    def test_half_precision(self):
        for dtype in (torch.float16, torch.bfloat16):
            make_folder(self.folder)
            model = Wav2Vec2ForCTC.from_pretrained(self.folder).to(dtype)
            model.save_pretrained(self.folder)
            self.check_float(expected=model.float())

    def test_a_folded_positional_convolution(self):
        make_folder(self.folder)
        model = Wav2Vec2ForCTC.from_pretrained(self.folder)
        folded = model.wav2vec2.encoder.pos_conv_embed.conv.weight.detach().half()
        state = model.state_dict()
        state[DIRECTION].copy_(folded.float())
        state[LENGTH].copy_(folded.float().square().sum((0, 1), keepdim=True).sqrt())

        def fold(tensors):
            del tensors[DIRECTION], tensors[LENGTH]
            tensors[f"{POSITIONAL}.weight"] = folded

        rewrite_weights(self.folder, fold)
        self.check_float(expected=model)

    def test_a_long_recording(self):
        make_folder(self.folder)
        samples = Wav2Vec2FeatureExtractor()(speech(30, 4), sampling_rate=RATE_HZ, return_tensors="pt").input_values
        with torch.inference_mode():
            wanted = Wav2Vec2ForCTC.from_pretrained(self.folder).eval()(samples).logits.numpy()
        self.assertLess(np.abs(run(self.export(), input_values=samples.numpy()) - wanted).max(), 5e-5)

    def test_int8(self):
        for differences, mask, presets in (
            ({}, False, ("qnnpack", "fbgemm")),
            (dict(conv_bias=True), False, ("fbgemm", "qnnpack")),
            (LAYER, True, ("qnnpack_symmetric", "fbgemm")),
        ):
            with self.subTest(presets):
                make_folder(self.folder, differences, mask)
                folder = self.int8_folder(*presets)
                self.check_int8(folder)
                kernels = self.kernels()
                self.assertEqual((kernels["QLinearConv"], kernels["QGemm"]), (3, 12))
                self.assertEqual((kernels["Conv"], kernels["Gemm"]), (1, 2))

    def test_a_padded_row_of_an_int8_model(self):
        make_folder(self.folder, LAYER, mask=True)
        self.export(self.int8_folder("qnnpack", "fbgemm"))
        inputs = self.batch(mask=True)
        both = run(str(self.file), **inputs)
        length = int(inputs["attention_mask"][1].sum())
        alone = run(str(self.file), **{name: value[1:, :length] for name, value in inputs.items()})[0]
        heard = both[1, : len(alone)]
        self.assertLess(len(alone), both.shape[1])
        self.assertLess(np.abs(heard - alone).mean(), 0.02 * alone.std())
        unmasked = {"input_values": inputs["input_values"], "attention_mask": np.ones_like(inputs["attention_mask"])}
        self.assertGreater(np.abs(run(str(self.file), **unmasked)[1, : len(alone)] - alone).mean(), 0.02 * alone.std())

    def test_only_one_part_in_int8(self):
        for presets, counts in ((("none", "fbgemm"), (0, 12)), (("fbgemm", "none"), (3, 0))):
            make_folder(self.folder)
            self.check_int8(self.int8_folder(*presets))
            self.assertEqual((self.kernels()["QLinearConv"], self.kernels()["QGemm"]), counts)

    def test_zero_points_of_channels(self):
        make_folder(self.folder)
        name = "wav2vec2.feature_extractor.conv_layers.1.conv"
        rewrite_weights(self.folder, lambda tensors: tensors[f"{name}.weight"][::3].abs_())
        folder = self.int8_folder("fbgemm", "fbgemm")
        state = json.loads((folder / "quantization.json").read_text())["layers"][name]
        self.assertIsInstance(state["weight"]["zero_point"], list)
        self.check_int8(folder)
        self.assertEqual(self.kernels()["QLinearConv"], 2)  # integer kernels know one zero point a weight

    def more_int8(self, folder, name, given, gave):
        """Makes one more layer of an int8 folder int8, per channel."""
        path = folder / "quantization.json"
        quantization = json.loads(path.read_text())
        scale = lambda low, high: {"scale": (high - low) / 255, "zero_point": round(-255 * low / (high - low))}
        quantization["layers"][name] = {"input": scale(*given), "output": scale(*gave), "weight": {"zero_point": 0}}
        path.write_text(json.dumps(quantization))

        def convert(tensors):
            weight = tensors.pop(f"{name}.weight") if f"{name}.weight" in tensors else None
            if weight is None:
                weight = Wav2Vec2ForCTC.from_pretrained(self.folder).wav2vec2.encoder.pos_conv_embed.conv.weight.detach()
                for key in [key for key in tensors if key.startswith(name) and not key.endswith(".bias")]:
                    del tensors[key]
            scales = weight.flatten(1).abs().amax(1) / 127
            tensors[f"{name}.weight"] = torch.round(weight / scales.view(-1, *[1] * (weight.dim() - 1))).to(torch.int8)
            tensors[f"{name}.weight_scale"] = scales

        rewrite_weights(folder, convert)

    def test_every_layer_in_int8(self):
        make_folder(self.folder)
        folder = self.int8_folder("qnnpack", "fbgemm")
        samples = self.batch()["input_values"]
        before = run(self.export(folder), input_values=samples)
        self.more_int8(folder, "wav2vec2.feature_projection.projection", (-5, 5), (-4, 4))
        self.more_int8(folder, POSITIONAL, (-4, 4), (-2, 2))
        self.more_int8(folder, "lm_head", (-6, 6), (-4, 4))
        found = run(self.export(folder), input_values=samples)
        self.check_layers(folder, input_values=samples)
        kernels = self.kernels()
        self.assertEqual((kernels["QLinearConv"], kernels["QGemm"], kernels["Conv"], kernels["Gemm"]), (4, 14, 0, 0))
        self.assertLess(np.abs(found - before).mean(), 0.2 * before.std())

    def test_an_input_factor(self):
        make_folder(self.folder)
        folder = self.int8_folder("qnnpack", "fbgemm")
        samples = self.batch()["input_values"]
        before = run(self.export(folder), input_values=samples)
        names = {"wav2vec2.feature_extractor.conv_layers.2.conv": 32,
                 "wav2vec2.encoder.layers.1.feed_forward.output_dense": 96}  # fmt: skip
        path = folder / "quantization.json"
        quantization = json.loads(path.read_text())
        for name in names:
            quantization["layers"][name]["input"]["scale"] /= 4  # exact, and undone by the factor
        path.write_text(json.dumps(quantization))
        wrong = run(self.export(folder), input_values=samples)
        self.assertGreater(np.abs(wrong - before).mean(), 0.05)
        rewrite_weights(folder, lambda t: t.update({f"{n}.input_factor": torch.full((c,), 4.0) for n, c in names.items()}))
        self.assertTrue(np.array_equal(run(self.export(folder), input_values=samples), before))

    def test_the_processor_lies_beside_it(self):
        make_folder(self.folder, LAYER, mask=True)
        self.export()
        processor = Wav2Vec2Processor.from_pretrained(self.file.parent)
        self.assertTrue(processor.feature_extractor.return_attention_mask)
        self.assertEqual(processor.tokenizer("TEA")["input_ids"], [TOKENS.index(c) for c in "TEA"])

    def test_what_is_refused(self):
        make_folder(self.folder)
        folder = self.int8_folder("qnnpack", "fbgemm")
        path = folder / "quantization.json"
        sound = json.loads(path.read_text())
        conv = "wav2vec2.feature_extractor.conv_layers.1.conv"
        for key, value, text in (
            ("scale", -1, f"{conv}.input.scale: expected a number above 0, found -1"),
            ("zero_point", 256, f"{conv}.input.zero_point: expected an integer from 0 to 255, found 256"),
        ):
            broken = json.loads(json.dumps(sound))
            broken["layers"][conv]["input"][key] = value
            path.write_text(json.dumps(broken))
            self.assertIn(text, self.export(folder, status=1))
        path.write_text(json.dumps(sound | {"layers": sound["layers"] | {"more": {}}}))
        self.assertIn('has no layer "more"', self.export(folder, status=1))
        path.write_text(json.dumps(sound | {"version": 2}))
        self.assertIn('"version": expected 1, found 2', self.export(folder, status=1))
        path.unlink()
        self.assertIn("expected type F32, F16 or BF16, found I8", self.export(folder, status=1))
        rewrite_weights(self.folder, lambda tensors: tensors.update(more=torch.zeros(1)))
        self.assertIn('unexpected "more"', self.export(status=1))
        rewrite_weights(self.folder, lambda tensors: (tensors.pop("more"), tensors.pop("lm_head.bias")))
        self.assertIn('tensor "lm_head.bias": expected [32], found none', self.export(status=1))
        self.assertFalse(self.file.exists())

    def test_the_program_itself_links_no_protobuf(self):
        read = subprocess.run(["readelf", "-d", PROGRAM], capture_output=True, text=True, check=True)
        self.assertIn("NEEDED", read.stdout)
        for name in ("protobuf", "onnx", "torch"):
            self.assertNotIn(name, read.stdout)


if __name__ == "__main__":
    torch.set_num_threads(1)
    transformers_logging.disable_progress_bar()
    unittest.main()

"""Exported int8 models in ONNX Runtime against exact sums and against the program itself.

    onnx_int8_test.py FLOWQAT
"""

import json
from collections import Counter

import numpy as np
import onnx
import torch
from onnx_support import (
    LAYER,
    OPSETS,
    POSITIONAL,
    RATE_HZ,
    TOKENS,
    ExportedInt8,
    has_vnni,
    main,
    make_folder,
    rewrite_weights,
    run,
    session,
    speech,
)
from safetensors.torch import load_file
from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC, Wav2Vec2Processor


LETTERS = "TEAONIHS"


def tones(seed):
    """Eight letters, a pitch each, with pauses; the letter of every 10 ms; the text."""
    draw = np.random.default_rng(seed)
    audio, frames, text = [], [], ""
    for letter in draw.integers(len(LETTERS), size=8):
        time_s = np.arange(1600) / RATE_HZ
        audio += [np.sin(2 * np.pi * 300 * 1.25**letter * time_s), np.zeros(800)]
        frames += [TOKENS.index(LETTERS[letter])] * 10 + [0] * 5
        text += LETTERS[letter]
    noise = 0.01 * draw.standard_normal(8 * 2400)
    return (0.3 * np.concatenate(audio) + noise).astype(np.float32), frames, text


def learn_tones(folder):
    make_folder(folder, dict(conv_kernel=[40, 8, 4], conv_stride=[10, 4, 4], conv_dim=[48, 48, 48]))
    model = Wav2Vec2ForCTC.from_pretrained(folder).eval()  # no dropout
    extractor, optimizer = Wav2Vec2FeatureExtractor(), torch.optim.Adam(model.parameters(), 2e-3)
    for step in range(150):
        audio, frames, _ = zip(*(tones(1000 + 4 * step + i) for i in range(4)))
        logits = model(extractor(list(audio), sampling_rate=RATE_HZ, return_tensors="pt").input_values).logits
        target = torch.tensor(frames)[:, : logits.shape[1]]
        torch.nn.functional.cross_entropy(logits.transpose(1, 2), target).backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)


def stored_weight(state, tensor):
    """A layer's integers as docs/quantization.md says that a folder holds them."""
    if state["bits"] > 4:
        return tensor.double()
    shape = state["weight"]["shape"]
    halves = torch.stack([tensor & 15, tensor >> 4], dim=-1).flatten(1)[:, : int(np.prod(shape[1:]))]
    return torch.where(halves < 8, halves.double(), halves.double() - 16).reshape(shape)


class Int8(ExportedInt8):
    def kernels(self):
        """How many nodes of each type ONNX Runtime makes of the file."""
        path = str(self.root / "optimized.onnx")
        session(str(self.file), optimized_model_filepath=path)
        return Counter(node.op_type for node in onnx.load(path).graph.node)

    def check_layers(self, folder, share=2e-4, **inputs):
        """Each int8 layer's integers, from those that it was given, against sums in double precision."""
        model = onnx.load(str(self.file))
        layers = json.loads((folder / "quantization.json").read_text())["layers"]
        tensors = load_file(folder / "model.safetensors")
        producer = {node.output[0]: node for node in model.graph.node}
        consumer = {node.input[0]: node for node in model.graph.node}
        wanted = {}
        for node in list(model.graph.node):
            if node.name in layers:
                to = consumer[node.output[0]]
                wanted[node.name] = (producer[node.input[0]].input[0], to.output[0], node)
                if layers[node.name].get("activation_bits", 8) < 8:  # they end behind the kernel
                    self.assertEqual(consumer[consumer[to.output[0]].output[0]].op_type, "Min")
        self.assertEqual(wanted.keys(), layers.keys())
        names = sorted({name for pair in wanted.values() for name in pair[:2]})
        for name in names:
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.UINT8, None))
        values = dict(zip(names, session(model.SerializeToString()).run(names, inputs)))
        for name, (given, gave, node) in wanted.items():
            state, weight = layers[name], stored_weight(layers[name], tensors[f"{name}.weight"])
            scales = tensors.get(f"{name}.weight_scale", torch.tensor([state["weight"].get("scale", 0.0)]))
            unit = (scales * np.float32(state["input"]["scale"])).double()
            zero = torch.tensor(state["weight"]["zero_point"]).reshape(-1, *[1] * (weight.dim() - 1))
            x, w = torch.tensor(values[given]).double() - state["input"]["zero_point"], weight - zero
            bias = torch.round(tensors.get(f"{name}.bias", torch.zeros(len(w))).double() / unit)
            if node.op_type == "Conv":
                attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
                x = torch.nn.functional.pad(x, attributes["pads"])
                y = torch.nn.functional.conv1d(x, w, None, attributes["strides"], groups=attributes["group"])
                y = (y + bias[:, None]) * unit[:, None]
            else:
                y = (x @ w.T + bias) * unit
            y = torch.round(y / state["output"]["scale"]) + state["output"]["zero_point"]
            highest = 2 ** state.get("activation_bits", 8) - 1
            self.assertLessEqual(values[given].max(), highest)
            steps = np.abs(y.clamp(0, highest).numpy() - np.minimum(values[gave], highest).astype(np.float64))
            self.assertLessEqual(steps.max(), 1, name)  # a tie, rescaled in float32
            self.assertLess(np.count_nonzero(steps) / steps.size, share, name)
            self.assertGreater(values[gave].std(), 3, name)

    def check_int8_layers(self, folder, *options, seed=3):
        audio = speech(1.3, seed)
        samples = Wav2Vec2FeatureExtractor()(audio, sampling_rate=RATE_HZ, return_tensors="np").input_values
        inputs = {"input_values": samples}
        if any(value.name == "attention_mask" for value in onnx.load(self.export(folder, *options)).graph.input):
            inputs["attention_mask"] = np.ones(samples.shape, np.int32)
        self.check_layers(folder, **inputs)
        return audio, inputs

    def check_int8(self, folder, seed=3):
        """Equal integers a layer. The float operations between layers differ in the last bit, which now and then
        tips a rounding; what comes of it stays under half of what int8 itself changes."""
        audio, inputs = self.check_int8_layers(folder, seed=seed)
        found = run(str(self.file), **inputs)[0]
        _, own = self.own_logits(folder, audio)
        _, unquantized = self.own_logits(self.folder, audio)
        self.assertEqual(found.shape, own.shape)
        self.assertLess(np.abs(found - own).mean(), 0.5 * np.abs(own - unquantized).mean())
        self.assertLess(np.abs(found - own).max(), np.abs(own - unquantized).max())

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

    def weights(self):
        """How many of the file's layers have weights of which type, and which zero points."""
        constants = {tensor.name: tensor for tensor in onnx.load(str(self.file)).graph.initializer}
        found = Counter()
        for name, zero_point in constants.items():
            if name.endswith(".weight_zero_point"):
                values = onnx.numpy_helper.to_array(zero_point)
                self.assertEqual(constants[name.removesuffix("_zero_point")].data_type, zero_point.data_type)
                found[(values.dtype.name, *np.unique(values))] += 1
        return found

    def test_weights_whose_sums_cannot_saturate(self):
        """uint8 for those of eight bits; int8 where two products always fit in 16 bits."""
        make_folder(self.folder)
        folder = self.int8_folder("qnnpack", "fbgemm")
        self.check_int8(folder)
        self.assertEqual(self.weights(), {("uint8", 128): 15})
        exact = run(str(self.file), **self.batch())
        self.export(folder, "--weights", "int8")
        self.assertEqual(self.weights(), {("int8", 0): 15})
        self.assertEqual(self.kernels()["QGemm"] + self.kernels()["QLinearConv"], 15)
        if has_vnni():
            self.assertTrue(np.array_equal(run(str(self.file), **self.batch()), exact))

        name = "wav2vec2.encoder.layers.0.attention.q_proj.weight"

        def keep_small(tensors):
            for key, tensor in tensors.items():
                if tensor.dtype == torch.int8:
                    tensor.clamp_(-64, 64)
            tensors[name][3, 7:9] = torch.tensor([65, -64])  # 255 (65 + 64) is too much for 16 bits

        rewrite_weights(folder, keep_small)
        self.check_int8_layers(folder)
        self.assertEqual(self.weights(), {("int8", 0): 14, ("uint8", 128): 1})
        rewrite_weights(folder, lambda tensors: tensors[name][3, 7:8].fill_(64))
        self.export(folder)
        self.assertEqual(self.weights(), {("int8", 0): 15})

    def test_every_opset(self):
        make_folder(self.folder, LAYER, mask=True)
        folder = self.int8_folder("qnnpack_symmetric", "fbgemm")
        logits = []
        for opset in OPSETS:
            self.check_int8_layers(folder, "--opset", opset)
            logits.append(run(str(self.file), **self.batch(mask=True)))
            self.assertEqual(self.kernels()["QGemm"], 12)
            self.assertLess(np.abs(logits[-1] - logits[0]).mean(), 0.02 * logits[0].std())

    def test_the_same_transcripts(self):
        """A model that has learned to tell tones apart, on tones: what it is sure of, both hear."""
        learn_tones(self.folder)
        folder = self.int8_folder("qnnpack", "fbgemm", [tones(i)[0] for i in range(100, 106)])
        self.export(folder)
        processor = Wav2Vec2Processor.from_pretrained(self.file.parent)
        for seed in range(8):
            audio, _, said = tones(seed)
            samples = processor(audio, sampling_rate=RATE_HZ, return_tensors="np").input_values
            found = processor.batch_decode(run(str(self.file), input_values=samples).argmax(-1))[0]
            self.assertEqual(found, self.own_logits(folder, audio)[0].strip())
            self.assertEqual(found, said)

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

    def test_zero_points_of_weights(self):
        name = "wav2vec2.feature_extractor.conv_layers.1.conv"
        # Integer kernels know one zero point a weight: where there are several, the layer stays out of them.
        for preset, step, kind, kernels in (("fbgemm", 3, list, 2), ("qnnpack", 1, int, 3)):
            make_folder(self.folder)
            rewrite_weights(self.folder, lambda tensors, step=step: tensors[f"{name}.weight"][::step].abs_())
            folder = self.int8_folder(preset, "fbgemm")
            zero_point = json.loads((folder / "quantization.json").read_text())["layers"][name]["weight"]["zero_point"]
            self.assertIsInstance(zero_point, kind)
            self.assertTrue(np.any(zero_point))
            self.check_int8(folder)
            self.assertEqual(self.kernels()["QLinearConv"], kernels)

    def test_a_bias_beyond_the_integers(self):
        make_folder(self.folder)
        folder = self.int8_folder("qnnpack", "fbgemm")
        name = "wav2vec2.encoder.layers.1.attention.v_proj"
        rewrite_weights(folder, lambda tensors: tensors[f"{name}.weight_scale"][5:6].fill_(1e-12))
        samples = self.batch()["input_values"]
        self.assertTrue(np.isfinite(run(self.export(folder), input_values=samples)).all())
        self.check_layers(folder, share=2e-3, input_values=samples)  # its bias is not rounded
        self.assertEqual(self.kernels()["QGemm"], 11)

    def test_every_layer_in_int8(self):
        for preset in ("fbgemm", "qnnpack"):
            make_folder(self.folder)
            parts = dict.fromkeys(("feature_projection", "positional_conv", "head"), preset)
            self.check_int8(self.int8_folder(preset, preset, **parts))
            kernels = self.kernels()
            counts = [kernels[kind] for kind in ("QLinearConv", "QGemm", "Conv", "Gemm")]
            self.assertEqual(counts, [4, 14, 0, 0])

    def test_fewer_bits(self):
        make_folder(self.folder)
        for weight_bits, activation_bits in ((4, 8), (4, 6), (7, 8)):
            with self.subTest(f"weights of {weight_bits} bits, activations of {activation_bits}"):
                bits = {"weight_bits": weight_bits, "activation_bits": activation_bits}
                folder = self.int8_folder(*({"preset": preset} | bits for preset in ("qnnpack_clipped", "fbgemm")))
                self.assertEqual(json.loads((folder / "quantization.json").read_text())["version"], 3)
                self.check_int8(folder)
                self.assertEqual((self.kernels()["QLinearConv"], self.kernels()["QGemm"]), (3, 12))
                self.assertEqual(self.weights(), {("int8", 0): 15})  # no two products leave 16 bits

    def test_smoothed_channels(self):
        make_folder(self.folder)
        folder = self.int8_folder(*({"preset": preset, "smoothing": 0.5} for preset in ("qnnpack", "fbgemm")))
        layers = json.loads((folder / "quantization.json").read_text())["layers"]
        factors = np.concatenate([np.atleast_1d(layer["input_factor"]) for layer in layers.values()])
        self.assertGreater(factors.std(), 0.2 * factors.mean())
        self.check_int8(folder)

    def test_a_positional_convolution_in_half_precision(self):
        make_folder(self.folder)
        folder = self.int8_folder("qnnpack", "fbgemm", convert={"half_positional_conv": True})
        self.assertEqual(load_file(folder / "model.safetensors")[f"{POSITIONAL}.weight"].dtype, torch.float16)
        self.check_int8(folder)

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
        path.write_text(json.dumps(sound | {"version": 4}))
        self.assertIn("version 4, this program reads versions 2 and 3", self.export(folder, status=1))
        path.unlink()
        self.assertIn("expected type F32, F16 or BF16, found I8", self.export(folder, status=1))


if __name__ == "__main__":
    main()

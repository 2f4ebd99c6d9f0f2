"""Exported models in OpenVINO, against transformers and against the program itself.

    openvino_test.py FLOWQAT
"""

from collections import Counter

import numpy as np
import torch
from onnx_support import (
    LAYER,
    OPSETS,
    RATE_HZ,
    Exported,
    ExportedInt8,
    compiled_by_openvino,
    has_vnni,
    main,
    make_folder,
    speech,
)
from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

FAMILIES = (({}, False), (LAYER, True), (LAYER, False), ({}, True))


def logits_of(model, **inputs):
    with torch.inference_mode():
        return model.eval()(**{name: torch.tensor(value) for name, value in inputs.items()}).logits.numpy()


def kernels(compiled):
    """How many products run in which type: {("Convolution", "I8"): 3}."""
    found = Counter()
    for node in compiled.get_runtime_model().get_ops():
        told = node.get_rt_info()
        kind = told["layerType"].astype(str)
        if kind in ("Convolution", "FullyConnected"):
            found[kind, told["primitiveType"].astype(str).rpartition("_")[2]] += 1
    return found


class Float(Exported):
    def test_both_families_and_every_opset(self):
        for differences, mask in FAMILIES:
            make_folder(self.folder, differences, mask)
            inputs = self.batch(mask)
            wanted = logits_of(Wav2Vec2ForCTC.from_pretrained(self.folder), **inputs)
            for opset in OPSETS:
                with self.subTest(differences=differences, mask=mask, opset=opset):
                    found = compiled_by_openvino(self.export(None, "--opset", opset))(inputs)[0]
                    self.assertLess(np.abs(found - wanted).max(), 2e-5)

    def test_every_number_and_length_of_rows(self):
        """Compiled once; 30 samples are one frame (which must not come first: OpenVINO 2026.4 is wrong ever after)."""
        for differences, mask in FAMILIES[:2]:
            make_folder(self.folder, differences, mask)
            model, compiled = Wav2Vec2ForCTC.from_pretrained(self.folder), compiled_by_openvino(self.export())
            for lengths in ((16000,), (30,), (9999, 31), (70, 8000, 30, 12345, 1000)):
                rows = [speech(length / RATE_HZ + 0.001, length)[:length] for length in lengths]
                extractor = Wav2Vec2FeatureExtractor(return_attention_mask=mask)
                inputs = dict(extractor(rows, sampling_rate=RATE_HZ, padding=True, return_tensors="np"))
                self.assertLess(np.abs(compiled(inputs)[0] - logits_of(model, **inputs)).max(), 5e-5, lengths)

    def test_every_activation(self):
        for name in ("gelu_new", "relu", "relu6", "leaky_relu", "silu", "mish", "hardswish", "sigmoid", "tanh"):
            make_folder(self.folder, dict(hidden_act=name, feat_extract_activation=name))
            inputs = self.batch()
            wanted = logits_of(Wav2Vec2ForCTC.from_pretrained(self.folder), **inputs)
            for opset in (17, 20):
                found = compiled_by_openvino(self.export(None, "--opset", opset))(inputs)[0]
                self.assertLess(np.abs(found - wanted).max(), 2e-5, (name, opset))


class Int8(ExportedInt8):
    def check_int8(self, folder, *options, mask=False):
        """What differs from the program's own logits stays under half of what int8 itself changes, as in ONNX Runtime."""
        audio = speech(1.3, 3)
        extractor = Wav2Vec2FeatureExtractor(return_attention_mask=mask)
        compiled = compiled_by_openvino(self.export(folder, *options))
        found = compiled(dict(extractor(audio, sampling_rate=RATE_HZ, return_tensors="np")))[0][0]
        _, own = self.own_logits(folder, audio)
        _, unquantized = self.own_logits(self.folder, audio)
        self.assertEqual(found.shape, own.shape)
        self.assertLess(np.abs(found - own).mean(), 0.5 * np.abs(own - unquantized).mean())
        return kernels(compiled)

    def test_int8(self):
        """Weights in uint8 are exact, and products in float; those in int8 run in the integer kernels."""
        for differences, mask, presets in (
            ({}, False, ("qnnpack", "fbgemm")),
            (dict(conv_bias=True), False, ("fbgemm", "qnnpack")),
            (LAYER, True, ("qnnpack_symmetric", "fbgemm")),
        ):
            with self.subTest(presets):
                make_folder(self.folder, differences, mask)
                folder = self.int8_folder(*presets)
                found = self.check_int8(folder, mask=mask)
                self.assertEqual((found["Convolution", "I8"], found["FullyConnected", "I8"]), (0, 0))
                if has_vnni():  # it saturates without
                    found = self.check_int8(folder, "--weights", "int8", mask=mask)
                    self.assertEqual((found["Convolution", "I8"], found["FullyConnected", "I8"]), (3, 12))

    def test_smoothed_channels_and_every_layer_in_int8(self):
        make_folder(self.folder)
        parts = dict.fromkeys(("feature_projection", "positional_conv", "head"), "fbgemm")
        self.check_int8(self.int8_folder("qnnpack", "fbgemm", **parts))
        self.check_int8(self.int8_folder(*({"preset": preset, "smoothing": 0.5} for preset in ("qnnpack", "fbgemm"))))

    def test_a_padded_row(self):
        make_folder(self.folder, LAYER, mask=True)
        compiled = compiled_by_openvino(self.export(self.int8_folder("qnnpack", "fbgemm")))
        inputs = self.batch(mask=True)
        both = compiled(inputs)[0].copy()
        length = int(inputs["attention_mask"][1].sum())
        alone = compiled({name: value[1:, :length] for name, value in inputs.items()})[0][0]
        self.assertLess(len(alone), both.shape[1])
        self.assertLess(np.abs(both[1, : len(alone)] - alone).mean(), 0.02 * alone.std())


if __name__ == "__main__":
    main()

"""Exported float32 models in ONNX Runtime against transformers, and what is not exported.

    onnx_test.py FLOWQAT
"""

import importlib.metadata
import importlib.util
import json
import subprocess
import unittest
from collections import Counter

import numpy as np
import onnx
import onnxruntime
import torch
from onnx_support import (
    DIRECTION,
    LAYER,
    LENGTH,
    OPSETS,
    POSITIONAL,
    PROGRAM,
    RATE_HZ,
    TOKENS,
    Exported,
    main,
    make_folder,
    rewrite_weights,
    run,
    session,
    speech,
)
from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC, Wav2Vec2Processor


def logits_of(model, **inputs):
    with torch.inference_mode():
        return model.eval()(**{name: torch.tensor(value) for name, value in inputs.items()}).logits.numpy()


class Float(Exported):
    def check_float(self, mask=False, expected=None, opset=17):
        inputs = self.batch(mask)
        wanted = logits_of(expected or Wav2Vec2ForCTC.from_pretrained(self.folder), **inputs)
        found = run(self.export(None, "--opset", opset), **inputs)
        self.assertEqual(onnx.load(self.file).opset_import[0].version, opset)
        self.assertEqual(found.shape, wanted.shape)
        self.assertGreater(wanted.std(), 0.1)
        self.assertLess(np.abs(found - wanted).max(), 2e-5)

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
                for opset in (17, 18, 20):  # Mish came with 18, Gelu with 20
                    self.check_float(opset=opset)

    def test_gelu_is_one_kernel_at_every_opset(self):
        for name, kernel in (("gelu", "Gelu"), ("gelu_new", "FastGelu")):
            make_folder(self.folder, dict(hidden_act=name, feat_extract_activation=name))
            for opset in (17, 20):
                path = str(self.root / "optimized.onnx")
                session(self.export(None, "--opset", opset), optimized_model_filepath=path)
                kinds = Counter(node.op_type for node in onnx.load(path).graph.node)
                self.assertEqual(kinds["Gelu" if opset == 20 else kernel], 6, (name, opset, kinds))
                self.assertEqual(kinds["Erf"] + kinds["Tanh"], 0)

    def test_every_opset(self):
        for differences, mask in (({}, False), (LAYER, True)):
            make_folder(self.folder, differences, mask)
            for opset in OPSETS:
                self.check_float(mask, opset=opset)

    def test_opsets_that_are_refused(self):
        make_folder(self.folder)
        for opset in (OPSETS[0] - 1, OPSETS[-1] + 1, 0, -17, "x"):
            said = self.export(None, "--opset", opset, status=2)
            self.assertIn(f'--opset: must be a whole number from 17 to 25, found "{opset}"', said)
        self.assertFalse(self.file.exists())

    @unittest.skipUnless(importlib.util.find_spec("openvino"), "no openvino in .venv")
    def test_it_says_with_what_it_was_tested(self):
        make_folder(self.folder)
        command = [PROGRAM, "export", self.folder, "--onnx", self.file]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
        openvino = importlib.metadata.version("openvino")
        self.assertIn(f"opset 17, tested with ONNX Runtime {onnxruntime.__version__} and OpenVINO {openvino}", said)

    def test_both_types_of_the_attention_mask(self):
        make_folder(self.folder, LAYER, mask=True)
        inputs = self.batch(mask=True)
        self.assertEqual(inputs["attention_mask"].dtype, np.int32)  # what the processor gives
        found = run(self.export(), **inputs)
        wide = inputs | {"attention_mask": inputs["attention_mask"].astype(np.int64)}
        self.assertTrue(np.array_equal(run(self.export(None, "--mask", "int64"), **wide), found))
        whole = run(str(self.file), **wide | {"attention_mask": np.ones_like(wide["attention_mask"])})
        self.assertGreater(np.abs(whole - found)[1].max(), 0.01)

    def test_every_number_and_length_of_rows(self):
        """One session; 30 samples are one frame."""
        for differences, mask in (({}, False), (LAYER, True)):
            make_folder(self.folder, differences, mask)
            model, opened = Wav2Vec2ForCTC.from_pretrained(self.folder), session(self.export())
            for lengths in ((30,), (16000,), (9999, 31), (4000, 4000, 4000), (70, 8000, 30, 12345, 1000)):
                rows = [speech(length / RATE_HZ + 0.001, length)[:length] for length in lengths]
                extractor = Wav2Vec2FeatureExtractor(return_attention_mask=mask)
                inputs = dict(extractor(rows, sampling_rate=RATE_HZ, padding=True, return_tensors="np"))
                wanted = logits_of(model, **inputs)
                self.assertLess(np.abs(opened.run(["logits"], inputs)[0] - wanted).max(), 5e-5, lengths)

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
        """The group norm's sums run over 96,000 frames."""
        make_folder(self.folder, dict(conv_kernel=[10, 8, 8], conv_stride=[5, 8, 8]))
        samples = Wav2Vec2FeatureExtractor()(speech(30, 4), sampling_rate=RATE_HZ, return_tensors="pt").input_values
        with torch.inference_mode():
            wanted = Wav2Vec2ForCTC.from_pretrained(self.folder).eval()(samples).logits.numpy()
        self.assertLess(np.abs(run(self.export(), input_values=samples.numpy()) - wanted).max(), 5e-5)

    def test_the_processor_lies_beside_it(self):
        make_folder(self.folder, LAYER, mask=True)
        self.export()
        processor = Wav2Vec2Processor.from_pretrained(self.file.parent)
        self.assertTrue(processor.feature_extractor.return_attention_mask)
        self.assertEqual(processor.tokenizer("TEA")["input_ids"], [TOKENS.index(c) for c in "TEA"])

    def test_the_program_itself_links_no_protobuf(self):
        read = subprocess.run(["readelf", "-d", PROGRAM], capture_output=True, text=True, check=True)
        self.assertIn("NEEDED", read.stdout)
        for name in ("protobuf", "onnx", "torch"):
            self.assertNotIn(name, read.stdout)

    def test_libtorch_is_not_opened(self):
        make_folder(self.folder)
        command = [PROGRAM, "export", self.folder, "--onnx", self.file]
        opened = subprocess.run(command, capture_output=True, text=True, env={"LD_DEBUG": "files"}).stderr
        self.assertIn("libprotobuf.so", opened)
        self.assertNotIn("torch", opened)

    def test_tensors_that_do_not_fit(self):
        make_folder(self.folder)
        rewrite_weights(self.folder, lambda tensors: tensors.update(more=torch.zeros(1)))
        self.assertIn('unexpected "more"', self.export(status=1))
        rewrite_weights(self.folder, lambda tensors: (tensors.pop("more"), tensors.pop("lm_head.bias")))
        self.assertIn('tensor "lm_head.bias": expected [32], found none', self.export(status=1))
        self.assertFalse(self.file.exists())

    def test_older_names_of_the_weight_norm(self):
        make_folder(self.folder)
        expected = Wav2Vec2ForCTC.from_pretrained(self.folder)
        older = {DIRECTION: f"{POSITIONAL}.weight_v", LENGTH: f"{POSITIONAL}.weight_g"}
        rewrite_weights(self.folder, lambda t: [t.update({old: t.pop(new)}) for new, old in older.items()])
        self.check_float(expected=expected)

    def test_a_model_that_no_file_can_hold(self):
        """Its weights are a hole in the disk; the answer comes before they are copied."""
        make_folder(self.folder)
        wide = 10_000_000
        config = json.loads((self.folder / "config.json").read_text()) | {"intermediate_size": wide}
        (self.folder / "config.json").write_text(json.dumps(config))
        header, end = {}, 0
        for layer in ("intermediate_dense", "output_dense"):
            for i in range(2):
                shape = [wide, 48] if layer == "intermediate_dense" else [48, wide]
                header[f"wav2vec2.encoder.layers.{i}.feed_forward.{layer}.weight"] = {
                    "dtype": "F32", "shape": shape, "data_offsets": [end, end := end + 4 * 48 * wide],
                }  # fmt: skip
        text = json.dumps(header).encode()
        with open(self.folder / "model.safetensors", "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            file.truncate(8 + len(text) + end)
        said = self.export(status=1)
        self.assertIn(f"at most 2147483647 bytes, but this model takes {end}; export an int8 model instead", said)


if __name__ == "__main__":
    main()

"""Exported int8 models on a processor with AVX2 alone, which QEMU plays: the same numbers as here.

    onnx_avx2_test.py FLOWQAT

Without VNNI integer kernels add pairs of products in 16 bits. `onnx_avx2_test.py --answer IN OUT` is what runs in QEMU.
"""

import platform
import shutil
import subprocess
import sys

import numpy as np


def by_onnx_runtime(model, samples):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return session.run(["logits"], {"input_values": samples})[0]


def by_openvino(model, samples):
    import openvino

    core = openvino.Core()
    settings = {"EXECUTION_MODE_HINT": "ACCURACY", "INFERENCE_NUM_THREADS": 1}
    return core.compile_model(core.read_model(model), "CPU", settings)([samples])[0]


def answers(given):
    """{"FILE/RUNTIME": logits}"""
    found = {}
    for name in given.files:
        if name != "samples":
            model = given[name].tobytes()
            found[f"{name}/ONNX Runtime"] = by_onnx_runtime(model, given["samples"])
            found[f"{name}/OpenVINO"] = by_openvino(model, given["samples"])
    return found


if sys.argv[1:2] == ["--answer"]:
    np.savez(sys.argv[3], **answers(np.load(sys.argv[2])))
    sys.exit()

import unittest

import torch
from onnx_support import RATE_HZ, ExportedInt8, main, make_folder, rewrite_weights, speech
from transformers import Wav2Vec2FeatureExtractor

QEMU = shutil.which("qemu-x86_64")


def keep_to_seven_bits(tensors):
    for tensor in tensors.values():
        if tensor.dtype == torch.int8:
            tensor.clamp_(-64, 63)


@unittest.skipIf(platform.machine() != "x86_64", "no x86-64 processor")
@unittest.skipIf(not QEMU, "no qemu-x86_64 here")
class OnAvx2(ExportedInt8):
    def test_no_sum_saturates(self):
        make_folder(self.folder)
        folder = self.int8_folder("qnnpack", "fbgemm")
        extractor = Wav2Vec2FeatureExtractor()
        given = dict(extractor(speech(1.3, 3), sampling_rate=RATE_HZ, return_tensors="np"))
        files = {"samples": given["input_values"]}

        def add(name, *options):
            self.export(folder, *options)
            files[name] = np.frombuffer(self.file.read_bytes(), np.uint8)

        add("exact")
        add("int8", "--weights", "int8")
        rewrite_weights(folder, keep_to_seven_bits)
        add("seven bits")
        np.savez(self.root / "in.npz", **files)

        def answer(*emulator):
            command = [*emulator, sys.executable, __file__, "--answer", self.root / "in.npz", self.root / "out.npz"]
            result = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(result.returncode, 0, result.stderr)
            return dict(np.load(self.root / "out.npz"))

        on_avx2, here = answer(QEMU, "-cpu", "Haswell"), answer()
        runtimes = ("ONNX Runtime", "OpenVINO")
        for runtime in runtimes:
            for name in ("exact", "seven bits"):
                with self.subTest(runtime=runtime, name=name):
                    wanted = here[f"{name}/ONNX Runtime"]
                    # Float operations differ in the last bit, which tips a rounding now and then.
                    self.assertLess(np.abs(on_avx2[f"{name}/{runtime}"] - wanted).mean(), 0.01 * wanted.std())
        # The test sees saturation: it is what becomes of int8 weights.
        wanted = here["exact/ONNX Runtime"]
        for runtime, share in zip(runtimes, (0.05, 0.015)):
            self.assertGreater(np.abs(on_avx2[f"int8/{runtime}"] - wanted).mean(), share * wanted.std(), runtime)


if __name__ == "__main__":
    main()

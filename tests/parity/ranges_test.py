"""`flowqat ranges` counts and compares what goes through transformers' layers, as numpy does.

    ranges_test.py FLOWQAT
"""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy
import soundfile
import torch
from evaluate_test import make_corpus
from transcribe_test import PROGRAM, make_model

LAYERS = [
    "wav2vec2.feature_extractor.conv_layers.0.conv",
    "wav2vec2.feature_extractor.conv_layers.3.conv",
    "wav2vec2.encoder.layers.0.feed_forward.intermediate_dense",
    "wav2vec2.encoder.layers.1.attention.k_proj",
    "lm_head",
]


def values_in(model, processor, files):
    """All values of each layer's input, weight and output while the model hears the files one by one."""
    modules, seen, hooks = dict(model.named_modules()), {}, []
    for name in LAYERS:
        seen[name] = {"input": [], "output": [], "weight": [modules[name].weight.detach().numpy()]}

        def see(module, inputs, output, tensors=seen[name]):
            tensors["input"].append(inputs[0].detach().numpy())
            tensors["output"].append(output.detach().numpy())

        hooks.append(modules[name].register_forward_hook(see))
    for file in files:
        samples, rate_hz = soundfile.read(file, dtype="float32")
        with torch.no_grad():
            model(**processor(samples, sampling_rate=rate_hz, return_tensors="pt"))
    for hook in hooks:
        hook.remove()
    return seen


def rounded(tensor, grid):
    """What the grid makes of a tensor, and which values lie beyond it; a scale for each of axis 0, or one."""
    shape = (-1,) + (1,) * (tensor.ndim - 1)
    scale = numpy.asarray(grid["scale"], numpy.float64).reshape(shape)
    zero_point = numpy.asarray(grid["zero_point"]).reshape(shape)
    integers = numpy.rint(tensor / scale) + zero_point
    inside = numpy.clip(integers, grid["lowest"], grid["highest"])
    return (inside - zero_point) * scale, inside != integers


class Ranges(unittest.TestCase):
    def check(self, found, tensors):
        values = numpy.concatenate([tensor.ravel() for tensor in tensors]).astype(numpy.float64)
        reach = numpy.abs(values).max()
        self.assertEqual(found["values"], len(values))
        self.assertAlmostEqual(found["min"], values.min(), delta=1e-5 * reach)
        self.assertAlmostEqual(found["max"], values.max(), delta=1e-5 * reach)

        histogram = found["histogram"]
        counts, width = numpy.asarray(histogram["counts"]), histogram["width"]
        edges = histogram["low"] + width * numpy.arange(len(counts) + 1)
        self.assertLessEqual(len(counts), 256)
        self.assertEqual(counts.sum(), len(values))
        # A value that lies at an edge may lie at its other side there.
        cumulative = numpy.searchsorted(numpy.sort(values), edges)
        near = numpy.searchsorted(numpy.sort(values), edges + 1e-5 * reach) - numpy.searchsorted(
            numpy.sort(values), edges - 1e-5 * reach
        )
        ours = numpy.concatenate([[0], counts.cumsum()])
        self.assertTrue((numpy.abs(ours - cumulative)[1:-1] <= near[1:-1]).all())

        for key, percent in [("p0_1", 0.1), ("p25", 25), ("p75", 75), ("p99_9", 99.9)]:
            # The bins that percentiles come from are at most 1/2048 of the largest magnitude.
            around = [percent - 100 / len(values), percent + 100 / len(values)]
            low, high = numpy.percentile(values, numpy.clip(around, 0, 100))
            self.assertGreater(found[key], low - reach / 1000)
            self.assertLess(found[key], high + reach / 1000)

        if found["grid"] is None:
            return False
        power = noise = clipped = 0
        for tensor in tensors:
            tensor = tensor.astype(numpy.float64)
            y, beyond = rounded(tensor, found["grid"])
            power += (tensor**2).sum()
            noise += ((tensor - y) ** 2).sum()
            clipped += beyond.sum()
        self.assertAlmostEqual(found["snr_db"], 10 * numpy.log10(power / noise), delta=0.02)
        quarter = numpy.percentile(values, 75) - numpy.percentile(values, 25)
        step = numpy.sort(numpy.atleast_1d(found["grid"]["scale"]))[numpy.size(found["grid"]["scale"]) // 2]
        self.assertAlmostEqual(found["steps_for_half"], quarter / step, delta=reach / step / 500)
        self.assertAlmostEqual(found["clipped_share"], clipped / len(values), delta=2 / len(values))
        return True

    def test_values_histograms_and_noise(self):
        with tempfile.TemporaryDirectory() as temporary:
            root = Path(temporary)
            files = make_corpus(root / "corpus")
            model, processor = make_model(root / "model", False)
            command = [PROGRAM, "ranges", root / "model", "--manifest", root / "corpus", "--json"]
            command += ["--set", "feature_extractor=qnnpack_clipped"]
            for name in LAYERS:
                command += ["--layer", name]
            done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
            layers = json.loads(done.stdout)["layers"]
            self.assertEqual([layer["layer"] for layer in layers], LAYERS)
            seen, compared = values_in(model, processor, files), 0
            for layer in layers:
                for name in ["input", "weight", "output"]:
                    with self.subTest(layer=layer["layer"], tensor=name):
                        compared += self.check(layer[name], seen[layer["layer"]][name])
            self.assertEqual(compared, 3 * (len(LAYERS) - 1))  # the head stays in float


if __name__ == "__main__":
    unittest.main()

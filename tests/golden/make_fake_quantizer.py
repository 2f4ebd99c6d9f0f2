#!/usr/bin/env python3
"""Writes fake_quantizer.json: PyTorch's fused fake quantizers run over a few batches.

    .venv/bin/python tests/golden/make_fake_quantizer.py

Per case and batch: input, incoming gradient, output, gradient of the input, and the module's state
afterwards. All numbers are float32 or int32, written exactly.
"""
import json
import pathlib

import torch
from torch.ao.quantization import (
    FusedMovingAvgObsFakeQuantize,
    MovingAverageMinMaxObserver,
    MovingAveragePerChannelMinMaxObserver,
)

# (observers on, fake quantization on, how much wider than the first batches the data is)
SCHEDULE = [(1, 0, 1.0), (1, 0, 1.3), (1, 1, 0.7), (1, 1, 2.0), (0, 1, 3.0), (0, 1, 0.5)]


def activation(symmetric, constant=0.01):
    scheme = torch.per_tensor_symmetric if symmetric else torch.per_tensor_affine
    return FusedMovingAvgObsFakeQuantize(
        observer=MovingAverageMinMaxObserver, averaging_constant=constant,
        quant_min=0, quant_max=255, dtype=torch.quint8, qscheme=scheme, reduce_range=False)


def weight(per_channel):
    if per_channel:
        return FusedMovingAvgObsFakeQuantize(
            observer=MovingAveragePerChannelMinMaxObserver, averaging_constant=1,
            quant_min=-128, quant_max=127, dtype=torch.qint8,
            qscheme=torch.per_channel_symmetric)
    return FusedMovingAvgObsFakeQuantize(
        observer=MovingAverageMinMaxObserver, averaging_constant=1,
        quant_min=-128, quant_max=127, dtype=torch.qint8, qscheme=torch.per_tensor_symmetric)


def normal(*shape):
    return lambda: torch.randn(*shape)


def odd_channels(*tail):
    """Channels of every kind that has a rule of its own."""
    def draw():
        x = torch.randn(7, *tail)
        x[1] = x[1].abs()          # one sign
        x[2] = -x[2].abs()
        x[3] = 0                   # nothing at all
        x[4] *= 1e-4               # a scale below fbgemm's smallest
        x[5] = x[5].abs() * 1e-4
        x[6] *= 1e3
        return x
    return draw


CASES = {
    "affine activation": (activation(False), normal(3, 5, 4)),
    "affine activation, slow average of 0.1": (activation(False, 0.1), normal(40)),
    "affine activation like GELU's output":
        (activation(False), lambda: torch.nn.functional.gelu(3 * torch.randn(2, 24))),
    "affine activation above zero": (activation(False), lambda: torch.rand(2, 20) + 1),
    "affine activation below zero": (activation(False), lambda: -torch.rand(2, 20) - 1),
    "affine activation of tiny values": (activation(False), lambda: 1e-3 * torch.randn(40)),
    "symmetric activation": (activation(True), normal(3, 5, 4)),
    "symmetric activation above zero": (activation(True), lambda: torch.rand(2, 20)),
    "symmetric activation below zero": (activation(True), lambda: -torch.rand(2, 20)),
    "activation of zeros": (activation(False), lambda: torch.zeros(8)),
    "weight": (weight(False), normal(6, 8)),
    "weight of one sign": (weight(False), lambda: torch.rand(6, 8)),
    "weight per channel, linear": (weight(True), odd_channels(9)),
    "weight per channel, convolution": (weight(True), odd_channels(3, 4)),
}


def values(tensor):
    """The fewest digits that give the same float32 back."""
    array = tensor.detach().flatten().numpy()
    return [float(str(value)) for value in array] if array.dtype == "float32" else array.tolist()


def run(name, module, draw):
    per_channel = bool(module.is_per_channel)
    steps = []
    for observe, quantize, width in SCHEDULE:
        (module.enable_observer if observe else module.disable_observer)()
        (module.enable_fake_quant if quantize else module.disable_fake_quant)()
        x = (draw() * width).requires_grad_()
        gradient = torch.randn_like(x)
        y = module(x)
        y.backward(gradient)
        observer = module.activation_post_process
        step = {"observe": bool(observe), "fake_quantize": bool(quantize), "x": values(x),
                "gradient": values(gradient), "y": values(y), "x_gradient": values(x.grad),
                "min": values(observer.min_val), "max": values(observer.max_val)}
        if quantize:  # before, PyTorch's per-channel scales are uninitialized memory
            step |= {"scale": values(module.scale), "zero_point": values(module.zero_point)}
        steps.append(step)
    return {"name": name, "symmetric": bool(module.is_symmetric_quant),
            "channels": x.shape[0] if per_channel else 0,
            "quant_min": module.activation_post_process.quant_min,
            "quant_max": module.activation_post_process.quant_max,
            "averaging_constant": module.activation_post_process.averaging_constant,
            "shape": list(x.shape), "steps": steps}


def main():
    torch.manual_seed(20)
    cases = [run(name, module, draw) for name, (module, draw) in CASES.items()]
    path = pathlib.Path(__file__).with_name("fake_quantizer.json")
    text = json.dumps({"torch": torch.__version__, "cases": cases}, allow_nan=False)
    path.write_text(text.replace('{"name"', '\n{"name"').replace('{"observe"', '\n{"observe"') + "\n")


if __name__ == "__main__":
    main()

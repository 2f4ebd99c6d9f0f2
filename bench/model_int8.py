#!/usr/bin/env python3
"""Inference of an int8 wav2vec2-base beside its peers, by turns, and one table.

    bench/model_int8.py [--seconds 10] [--threads 2] [--rounds 5] [--build build]

The peers have the same random weights: ONNX Runtime in float32 and with convolutions and linears quantized
statically (QDQ, weights by channel), and PyTorch in float32. One utterance is recognised at a time. Every round
runs each program once, as the median of several utterances, and ratios are taken within a round. Needs .venv
(scripts/setup.sh --tests) and there onnxruntime and onnx (.venv/bin/pip install onnxruntime==1.32.0
onnx==1.23.2); run it with .venv/bin/python.
"""
import json
import logging
import statistics
import subprocess
import tempfile
from pathlib import Path

import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from model_infer import RUNS, make_models, median_ms, onnx_session, parse_arguments

OURS = ("fastest", "float convolutions 1-3", "exact")
PEERS = ("ONNX Runtime int8", "ONNX Runtime", "PyTorch")


class OneUtterance(CalibrationDataReader):
    def __init__(self, inputs):
        self.left = [inputs]

    def get_next(self):
        return self.left.pop() if self.left else None


def quantize(folder, inputs):
    prepared, quantized = folder / "prepared.onnx", folder / "int8.onnx"
    quant_pre_process(folder / "model.onnx", prepared, skip_symbolic_shape=True)
    quantize_static(prepared, quantized, OneUtterance(inputs), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                    op_types_to_quantize=["Conv", "MatMul", "Gemm"])
    return quantized


def main():
    arguments = parse_arguments(__doc__)
    logging.getLogger().setLevel(logging.ERROR)
    samples = torch.randn(1, int(16000 * arguments.seconds))
    rounds = []
    with tempfile.TemporaryDirectory() as scratch, torch.inference_mode():
        folder = Path(scratch)
        model = make_models(folder, samples)
        inputs = {"samples": samples.numpy()}
        whole = onnx_session(folder / "model.onnx", arguments.threads)
        quantized = onnx_session(quantize(folder, inputs), arguments.threads)
        ours = [arguments.build / "bench_model_int8", folder, str(arguments.seconds), str(arguments.threads),
                str(RUNS)]
        for _ in range(arguments.rounds):
            found = json.loads(subprocess.run(ours, capture_output=True, text=True, check=True).stdout)
            found["ONNX Runtime int8"] = median_ms(lambda: quantized.run(None, inputs))
            found["ONNX Runtime"] = median_ms(lambda: whole.run(None, inputs))
            found["PyTorch"] = median_ms(lambda: model(samples))
            rounds.append(found)
            print({name: round(found[name]) for name in OURS + PEERS}, flush=True)
    print("\n| program | ms | x real time |\n|---|---:|---:|")
    for name in OURS + PEERS:
        ms = statistics.median(r[name] for r in rounds)
        print(f"| {'flowqat int8, ' if name in OURS else ''}{name} | {ms:.0f} | {arguments.seconds * 1e3 / ms:.1f} |")
    print("\n| part of the fastest | ms |\n|---|---:|")
    for part in rounds[0]["parts"]:
        print(f"| {part} | {statistics.median(r['parts'][part] for r in rounds):.1f} |")
    print("\n| times as fast, within a round | asked | median | lowest | highest |\n|---|---:|---:|---:|---:|")
    for ours, peer, asked in (("fastest", "ONNX Runtime int8", ">= 1.1"), ("fastest", "float32", ">= 2.5"),
                              ("float convolutions 1-3", "ONNX Runtime int8", ""),
                              ("float convolutions 1-3", "float32", "")):
        ratios = [(min(r["ONNX Runtime"], r["PyTorch"]) if peer == "float32" else r[peer]) / r[ours] for r in rounds]
        name = "the faster of both in float32" if peer == "float32" else peer
        print(f"| {ours}, as {name} | {asked} | {statistics.median(ratios):.2f} | {min(ratios):.2f} | "
              f"{max(ratios):.2f} |")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Inference of a float32 wav2vec2-base beside ONNX Runtime's and PyTorch's, by turns, and one table.

    bench/model_infer.py [--seconds 10] [--threads 2] [--rounds 5] [--build build]

The model has random weights and one utterance is recognised at a time. Every round runs each program once, as
the median of several utterances, and ratios are taken within a round. Needs .venv (scripts/setup.sh --tests)
and there onnxruntime and onnx (.venv/bin/pip install onnxruntime==1.32.0 onnx==1.23.2); run it with
.venv/bin/python.
"""
import argparse
import json
import statistics
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import numpy
import torch
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

HERE = Path(__file__).resolve().parent
RUNS = 5


class Logits(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, samples):
        return self.model(samples).logits


def median_ms(work):
    times = []
    for run in range(-2, RUNS):
        start = time.perf_counter()
        work()
        if run >= 0:
            times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def make_models(folder, samples):
    """The same weights for all: a Hugging Face folder, PyTorch's model, and ONNX."""
    torch.manual_seed(0)
    model = Wav2Vec2ForCTC(Wav2Vec2Config(attn_implementation="sdpa")).eval()
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=False).save_pretrained(folder)
    exported = Wav2Vec2ForCTC(Wav2Vec2Config(attn_implementation="eager")).eval()
    exported.load_state_dict(model.state_dict())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is the one that ONNX Runtime optimizes best
        torch.onnx.export(Logits(exported), (samples,), folder / "model.onnx", input_names=["samples"],
                          output_names=["logits"], dynamo=False, opset_version=17)
    return model


def onnx_session(path, threads):
    import onnxruntime  # not for bench/model_int8.py, which goes on without it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # or it slows the others down
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def parse_arguments(description):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--build", type=Path, default=HERE.parent / "build")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    return arguments


def main():
    arguments = parse_arguments(__doc__)
    samples = torch.randn(1, int(16000 * arguments.seconds))
    rounds = []
    with tempfile.TemporaryDirectory() as scratch, torch.inference_mode():
        folder = Path(scratch)
        model = make_models(folder, samples)
        session = onnx_session(folder / "model.onnx", arguments.threads)
        inputs = {"samples": samples.numpy()}
        difference = numpy.abs(session.run(None, inputs)[0] - model(samples).logits.numpy()).max()
        print(f"ONNX Runtime's logits differ from PyTorch's by at most {difference:.1e}\n")
        ours = [arguments.build / "bench_model_infer", folder, str(arguments.seconds), str(arguments.threads), str(RUNS)]
        for _ in range(arguments.rounds):
            parts = json.loads(subprocess.run(ours, capture_output=True, text=True, check=True).stdout)
            rounds.append({"flowqat": parts["ms"], "ONNX Runtime": median_ms(lambda: session.run(None, inputs)),
                           "PyTorch": median_ms(lambda: model(samples)), "parts": parts["parts"]})
    print("| program | ms | x real time |\n|---|---:|---:|")
    for name in ("flowqat", "ONNX Runtime", "PyTorch"):
        ms = statistics.median(r[name] for r in rounds)
        print(f"| {name} | {ms:.0f} | {arguments.seconds * 1e3 / ms:.1f} |")
    print("\n| part of flowqat's | ms |\n|---|---:|")
    for part in rounds[0]["parts"]:
        print(f"| {part} | {statistics.median(r['parts'][part] for r in rounds):.0f} |")
    print("\n| time within a round | asked | median | lowest | highest |\n|---|---:|---:|---:|---:|")
    for peer, asked in (("ONNX Runtime", "<= 1.0"), ("PyTorch", "")):
        ratios = [r["flowqat"] / r[peer] for r in rounds]
        print(f"| to {peer}'s | {asked} | {statistics.median(ratios):.2f} | {min(ratios):.2f} | {max(ratios):.2f} |")


if __name__ == "__main__":
    main()

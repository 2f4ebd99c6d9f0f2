#!/usr/bin/env python3
"""Inference of an int8 wav2vec2-base beside its peers, by turns, and one table.

    bench/model_int8.py [--seconds 10] [--threads 2] [--rounds 5] [--build build]

The peers have the same random weights (bench/peers.py): ONNX Runtime in float32 and quantized statically, OpenVINO in
float32 and quantized by NNCF, and PyTorch in float32. One utterance is recognised at a time. Every round runs each
program once, as the median of several utterances, and ratios are taken within a round, to the fastest peer of that
round. Needs .venv (scripts/setup.sh --tests), and there nncf for OpenVINO's int8 (.venv/bin/pip install nncf==3.4.0);
run it with .venv/bin/python.
"""
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from model_infer import RUNS, make_models, median_ms, parse_arguments
from peers import Peers, has_vnni, processor

OURS = ("fastest", "float convolutions 1-3", "exact")


def own_times(command):
    """{name: ms} with the parts beside them, or nothing where the program fails: the peers are measured still."""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        print(f"flowqat: {command[0]} ended with status {result.returncode}: {result.stderr.strip()}", file=sys.stderr)
        return {}
    return json.loads(result.stdout)


def median_of(rounds, name):
    return statistics.median(r[name] for r in rounds)


def print_ratios(rounds, names, peers):
    print("\n| times as fast, within a round | asked | median | lowest | highest |\n|---|---:|---:|---:|---:|")
    asked_of_float32 = ">= 3" if has_vnni() else ">= 1.5"
    for ours in names[:2]:
        for what, of, asked in (("int8", peers.int8, ">= 1.25"), ("float32", peers.float32, asked_of_float32)):
            if not of:
                continue
            ratios = [min(r[peer] for peer in of) / r[ours] for r in rounds]
            print(f"| {ours}, as the fastest peer in {what} | {asked if ours == 'fastest' else ''} | "
                  f"{statistics.median(ratios):.2f} | {min(ratios):.2f} | {max(ratios):.2f} |")


def main():
    arguments = parse_arguments(__doc__)
    samples = torch.randn(1, int(16000 * arguments.seconds))
    print(f"{processor()}; {arguments.threads} threads", flush=True)
    rounds = []
    with tempfile.TemporaryDirectory() as scratch, torch.inference_mode():
        folder = Path(scratch)
        model = make_models(folder, samples)
        peers = Peers(folder, samples.numpy(), arguments.threads)
        peers.float32["PyTorch"] = lambda: model(samples).logits.numpy()
        print("\n".join(peers.skipped), end="\n" if peers.skipped else "")
        wanted = model(samples).logits.numpy()
        for name, recognise in (peers.int8 | peers.float32).items():
            print(f"{name}: logits differ from PyTorch's by {abs(recognise() - wanted).mean():.1e} in the mean")
        ours = [arguments.build / "bench_model_int8", folder, arguments.seconds, arguments.threads, RUNS]
        for _ in range(arguments.rounds):
            found = own_times(ours)
            for name, recognise in (peers.int8 | peers.float32).items():
                found[name] = median_ms(recognise)
            rounds.append(found)
            print({name: round(ms) for name, ms in found.items() if isinstance(ms, float)}, flush=True)
    held = sorted({name for r in rounds for name in r if name.startswith("held to ")})
    names = [name for name in (*OURS, *held) if all(name in r for r in rounds)]
    print("\n| program | ms | x real time |\n|---|---:|---:|")
    for name in [*names, *peers.int8, *peers.float32]:
        ms = median_of(rounds, name)
        print(f"| {'flowqat int8, ' if name in names else ''}{name} | {ms:.0f} | {arguments.seconds * 1e3 / ms:.1f} |")
    parts = rounds[0].get("parts") if names else None
    if parts:
        print(f"\n| part of the fastest ({rounds[0]['target']}) | ms | of the multiply-adds alone |\n|---|---:|---:|")
        for part in parts:
            ms, least = (statistics.median(r["parts"][part][i] for r in rounds) for i in (0, 1))
            print(f"| {part} | {ms:.1f} | {f'{least:.1f}' if least else ''} |")
    if names:
        print_ratios(rounds, names, peers)
    if any(name not in names for name in OURS):
        sys.exit("flowqat's own program did not run: see above")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The same 50 steps of training by one process, by `--processes 2`, and by torchrun with 2 and 4: losses, WER, wall time.

    bench/ranks.py [--root data/demo] [--split train-demo] [--dev dev-demo] [--config configs/tiny-wav2vec2]
                   [--start FOLDER] [--lr 1e-3] [--steps 50] [--rounds 3] [--threads N]

Every step has the same four batches, whoever hears them. Training begins with the configuration's random weights, or with
the model in --start, which has learnt something that the WER can tell of. Prints a table in Markdown: the largest relative
difference of a step's loss to that of one process, the WER at the end, and the wall time of the training, the median of as
many rounds. Each process has as many compute threads as is said, or its part of the cores.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TORCHRUN = ROOT / ".venv" / "bin" / "torchrun"
WAYS = (("one process", 1, ""), ("`--processes 2`", 2, "--processes"), ("torchrun, 2", 2, "torchrun"),
        ("torchrun, 4", 4, "torchrun"))


def graph(given):
    def audio(name, split, size):
        return {f"{name}_corpus": {"type": "librispeech", "root": given.root, "splits": [split]},
                f"{name}_decode": {"type": "decode", "from": f"{name}_corpus"},
                name: {"type": "batch", "from": f"{name}_decode", "size": size}}

    start = {"path": str(Path(given.start).resolve())} if given.start else {"config": given.config, "blank_bias": 4}
    return {"nodes": {**audio("batch", given.split, 4), **audio("dev", given.dev, 1),
                      "start": {"type": "model", **start, "device": "cpu", "compute_threads": given.threads},
                      "learn": {"type": "train", "model": "start", "audio": "batch", "max_steps": given.steps, "lr": given.lr,
                                "batches_per_step": 4, "log_every_steps": 1},
                      "wer": {"type": "evaluate", "models": ["learn"], "audio": "dev"}}}


def run(program, file, out, processes, launcher):
    command = [str(program), "run", str(file), "--out", str(out)]
    if launcher == "--processes":
        command += ["--processes", str(processes)]
    if launcher == "torchrun":
        command = [str(TORCHRUN), "--standalone", "--no-python", f"--nproc-per-node={processes}", *command]
    begun = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "OMP_WAIT_POLICY": "passive"}, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    whole_s = time.monotonic() - begun
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    summary = json.loads((out / "summary.json").read_text())
    return {"losses": [line["loss"] for line in lines if "learning_rate" in line], "whole_s": whole_s,
            "train_s": summary["train"]["wall_s"], "wer": next(iter(summary["evaluations"]["wer"]["wer"].values())),
            "sha256": summary["batches_sha256"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("root", "data/demo"), ("split", "train-demo"), ("dev", "dev-demo"),
                          ("config", "configs/tiny-wav2vec2"), ("program", "build/flowqat"), ("start", "")):
        parser.add_argument(f"--{name}", default=default)
    for name, default in (("steps", 50), ("rounds", 3), ("threads", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--lr", type=float, default=1e-3)
    given = parser.parse_args()
    found = {way: [] for way, _, _ in WAYS}
    with tempfile.TemporaryDirectory(prefix="flowqat-ranks-") as folder:
        file = Path(folder) / "graph.json"
        file.write_text(json.dumps(graph(given)))
        for number in range(given.rounds):
            for way, processes, launcher in WAYS:
                out = Path(folder) / f"{number}-{processes}{launcher}"
                found[way].append(run(ROOT / given.program, file, out, processes, launcher))
                print(f"{way}: {found[way][-1]['train_s']:.1f} s", file=sys.stderr, flush=True)
    alone = found[WAYS[0][0]][0]
    print("| | largest difference of a loss | WER | training | whole run |\n|---|---|---|---|---|")
    for way, runs in found.items():
        if any(one["sha256"] != alone["sha256"] for one in runs):
            raise SystemExit(f"{way}: other batches than those of one process")
        worst = max(abs(a - b) / abs(b) for one in runs for a, b in zip(one["losses"], alone["losses"]))
        train_s, whole_s = (statistics.median(one[key] for one in runs) for key in ("train_s", "whole_s"))
        print(f"| {way} | {worst:.1e} | {100 * runs[0]['wer']:.2f} % | {train_s:.1f} s | {whole_s:.1f} s |")


if __name__ == "__main__":
    main()

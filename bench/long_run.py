#!/usr/bin/env python3
"""Whether a long quantization-aware training stays as large as it is, and is never kept waiting.

    bench/long_run.py build/flowqat CORPUS SPLIT [--steps 2000] [--max-padded-s 6]

configs/tiny-wav2vec2 is calibrated and trained on a split of a folder in LibriSpeech's form (data/demo train-demo) at speeds
drawn from 0.8 to 1.2, with shuffled batches, so that hardly two batches have one length. Once a second the resident memory
is read, and the step that metrics.jsonl has come to: growth is told of the second half of the steps, and starvation of all
behind the first hundredth.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path


def graph(corpus, split, out, steps, max_padded_s):
    configs = Path(__file__).resolve().parent.parent / "configs"
    return {
        "out": str(out),
        "nodes": {
            "corpus": {"type": "librispeech", "root": str(corpus.resolve()), "splits": [split]},
            "decode": {"type": "decode", "from": "corpus"},
            "perturb": {"type": "speed_perturb", "from": "decode", "range": [0.8, 1.2]},
            "normalize": {"type": "normalize", "from": "perturb"},
            "masks": {"type": "spec_augment", "from": "normalize"},
            "batch": {"type": "batch", "from": "masks", "max_padded_s": max_padded_s},
            "start": {"type": "model", "config": str(configs / "tiny-wav2vec2")},
            "observe": {"type": "calibrate", "model": "start", "audio": "batch"},
            "adapt": {
                "type": "train",
                "model": "observe",
                "audio": "batch",
                "max_steps": steps,
                "clip_norm": 1,
                "log_every_steps": max(1, steps // 200),
            },
        },
    }


def resident_mb(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return None  # it is ending


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("split")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--max-padded-s", type=float, default=6)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out, path = Path(folder) / "out", Path(folder) / "graph.json"
        path.write_text(json.dumps(graph(options.corpus, options.split, out, options.steps, options.max_padded_s)))
        run = subprocess.Popen([options.program, "--graph", path], stdout=subprocess.DEVNULL, env=os.environ)
        seen = []  # step, MB
        while run.poll() is None:
            time.sleep(1)
            records = lines(out)
            memory_mb = resident_mb(run.pid) if run.poll() is None else None
            if records and memory_mb:
                seen.append((records[-1]["step"], memory_mb))
        records = lines(out)
        assert run.returncode == 0, run.returncode
    tenths = [max((mb for step, mb in seen if step <= options.steps * k / 10), default=0) for k in range(1, 11)]
    print("most resident memory up to each tenth of the steps, MB: " + ", ".join(f"{mb:.0f}" for mb in tenths))
    print(f"growth in the second half: {100 * (tenths[9] / tenths[4] - 1):.2f} % (asked: under 3)")
    warm = next(record for record in records if record["step"] >= options.steps // 100)
    last = records[-1]
    waited_s = [record["starved_share"] * record["wall_s"] for record in (warm, last)]
    share = (waited_s[1] - waited_s[0]) / (last["wall_s"] - warm["wall_s"])
    print(f"kept waiting by data behind step {warm['step']}: {100 * share:.2f} % of {last['wall_s']:.0f} s (asked: under 1)")


def lines(out):
    try:
        records = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    except (OSError, ValueError):  # not there yet; a line under way
        return []
    return [record for record in records if "wall_s" in record]


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""How the time to the first audio and the memory grow with a corpus: a table.

    bench/growth.py build/bench_first_audio WORK_FOLDER [--lines 281241 1000000]

For each number a manifest is written whose lines are segments of a few long recordings, of LibriSpeech's
lengths (1.5 to 16 s, 12.3 on average) with transcripts of 30 words, in parts of a million lines where
there are more (a mix of manifests; scanning one of ten millions takes more memory than many machines
have). It is scanned once and then heard three times with the index that was kept; the median is shown.
WORK_FOLDER must not exist and is removed; ten million lines take 7 GB in it.
"""
import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import time
import wave
from pathlib import Path

RECORDINGS, RECORDING_S, RATE_HZ, PART = 4, 600, 16000, 1_000_000


def write_recordings(folder):
    for number in range(RECORDINGS):
        with wave.open(str(folder / f"{number}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes(random.Random(number).randbytes(2 * RATE_HZ) * RECORDING_S)


def write_manifest(path, first, lines):
    draw = random.Random(first)
    words = " ".join(f"WORD{i}" for i in range(30))
    with path.open("w") as file:
        for number in range(first, first + lines):
            # Two thirds are long, as segments cut to a limit are.
            seconds = draw.triangular(12, 16, 15.5) if draw.random() < 0.67 else draw.uniform(1.5, 14)
            start = draw.randrange(0, RECORDING_S - 17)
            file.write(
                f'{{"audio_filepath": "{number % RECORDINGS}.wav", "offset": {start}, '
                f'"duration": {round(seconds * RATE_HZ) / RATE_HZ}, "id": "speaker{number // 100}-{number}", '
                f'"text": "{words}"}}\n'
            )


def write_graph(folder, lines):
    nodes = {}
    for part, first in enumerate(range(0, lines, PART)):
        manifest = folder / f"{lines}-{part}.jsonl"
        write_manifest(manifest, first, min(PART, lines - first))
        nodes[f"part{part}"] = {"type": "manifest", "path": str(manifest)}
    source = "part0"
    if len(nodes) > 1:
        nodes["all"] = {"type": "mix", "from": list(nodes)}
        source = "all"
    nodes["decode"] = {"type": "decode", "from": source}
    nodes["perturb"] = {"type": "speed_perturb", "from": "decode", "range": [0.9, 1.1]}
    nodes["normalize"] = {"type": "normalize", "from": "perturb"}
    nodes["masks"] = {"type": "spec_augment", "from": "normalize"}
    nodes["batch"] = {"type": "batch", "from": "masks", "max_padded_s": 160, "order": "length"}
    graph = folder / f"{lines}.json"
    graph.write_text(json.dumps({"out": str(folder / "out"), "nodes": nodes}))
    return graph


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("work_folder", type=Path)
    parser.add_argument("--lines", type=int, nargs="+", default=[281241, 1000000])
    arguments = parser.parse_args()
    arguments.work_folder.mkdir(parents=True)
    cache = arguments.work_folder.resolve() / "cache"
    cache.mkdir()  # now: what changes the folder of a corpus later has it scanned again
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}

    def run(graph, *more):
        done = subprocess.run([arguments.bench, graph, *more], env=environment, check=True, stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    try:
        write_recordings(arguments.work_folder)
        print("| utterances | first audio | processor time to it | bytes an utterance | epoch planned in | windows "
              "| padding | scan: first audio | scan: peak |")  # fmt: skip
        print("|---:" * 9 + "|")
        for lines in arguments.lines:
            graph = write_graph(arguments.work_folder, lines)
            time.sleep(1.1)  # what changed in the second before a scan is not kept
            scan = run(graph)
            warm = [run(graph) for _ in range(3)]
            plan = run(graph, "plan")

            def median(field, warm=warm):
                return statistics.median(one[field] for one in warm)

            print(
                f"| {lines:,} | {median('first_audio_s'):.2f} s | {median('first_audio_cpu_s'):.2f} s "
                f"| {plan['bytes_an_utterance']:.0f} | {plan['epoch_planned_s']:.2f} s "
                f"| {plan['windows']} | {100 * plan['padding_share']:.2f} % "
                f"| {scan['first_audio_s']:.1f} s | {scan['peak_rss_mb']:,.0f} MB |", flush=True
            )  # fmt: skip
            for file in arguments.work_folder.glob(f"{lines}-*.jsonl"):
                file.unlink()
    finally:
        shutil.rmtree(arguments.work_folder)


if __name__ == "__main__":
    main()

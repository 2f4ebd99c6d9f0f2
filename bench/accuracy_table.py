#!/usr/bin/env python3
"""Float, PTQ, fake-quantized, int8 and ONNX int8 beside each other: WER, CER, size and speed.

    bench/accuracy_table.py demo|fsdd CORPUS OUT WAY [--seeds 1 2 3] [--build build]

Reads the runs that quantization_table.py left in OUT for one WAY, exports every int8 model and has ONNX Runtime
recognise the same audio (resampled by sox where it is not at 16 kHz). Error rates are means over the seeds, and in
brackets the least and the most; speed, with one utterance at a time on all cores, is the first seed's on the dev
split. Run it with .venv/bin/python (scripts/setup.sh --tests).
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jiwer
import numpy as np
import onnxruntime
import soundfile

from quantization_table import Corpus, cell, float_folder

HERE = Path(__file__).resolve().parent
RATE_HZ = 16000


def utterances(corpus, part):
    """(audio file, transcript) of a split."""
    node = corpus.audio[part]
    if node["type"] == "manifest":
        lines = [json.loads(line) for line in Path(node["path"]).read_text().splitlines()]
        return [(Path(line["audio_filepath"]), line["text"]) for line in lines]
    found = []
    for file in sorted(Path(node["root"], node["splits"][0]).glob("*/*/*.trans.txt")):
        for line in file.read_text().splitlines():
            name, text = line.split(" ", 1)
            found.append((file.parent / f"{name}.flac", text))
    return found


def samples_of(path):
    samples, rate_hz = soundfile.read(path, dtype="float32")
    if rate_hz != RATE_HZ:
        command = ["sox", str(path), "-r", str(RATE_HZ), "-t", "f32", "-"]
        samples = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, np.float32)
    return samples


def onnx_errors(program, folder, part_utterances):
    """WER and CER in percent, size in bytes, and seconds of audio a second."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "model.onnx"
        subprocess.run([program, "export", folder, "--onnx", file], check=True, capture_output=True)
        size = file.stat().st_size
        session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    tokens = {i: token for token, i in json.loads((folder / "vocab.json").read_text()).items()}
    named = {value.name for value in session.get_inputs()}
    references, hypotheses, audio_s, infer_s = [], [], 0.0, 0.0
    for path, text in part_utterances:
        x = samples_of(path)
        x = ((x - x.mean()) / np.sqrt(x.var() + 1e-7))[None]
        inputs = {"input_values": x, "attention_mask": np.ones(x.shape, np.int64)}
        started = time.perf_counter()
        best = session.run(["logits"], {name: inputs[name] for name in named})[0][0].argmax(-1)
        infer_s += time.perf_counter() - started
        audio_s += x.size / RATE_HZ
        letters = [tokens[token] for i, token in enumerate(best) if i == 0 or token != best[i - 1]]
        hypotheses.append("".join(letter for letter in letters if letter != "<pad>").replace("|", " ").strip())
        references.append(text)
    return {"wer": 100 * jiwer.wer(references, hypotheses), "cer": 100 * jiwer.cer(references, hypotheses),
            "size": size, "speed": audio_s / infer_s}


def own_errors(run, part):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {line["model"]: {"wer": 100 * line["wer"], "cer": 100 * line["cer"]}
            for line in lines if line.get("node") == f"{part}_wer"}


def own_speed(program, folder, corpus, part):
    node = corpus.audio[part]
    place = ["--manifest", node.get("path") or node["root"]]
    for split in node.get("splits", ()):
        place += ["--split", split]
    command = [program, "evaluate", folder, *place, "--batch", "1", "--json"]
    result = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return result["x_realtime"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("demo", "fsdd"))
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("way")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--build", type=Path, default=HERE.parent / "build")
    arguments = parser.parse_args()
    program, out = arguments.build / "flowqat", arguments.out.resolve()
    corpus = Corpus(arguments.kind, arguments.corpus.resolve(), out)
    runs = [out / f"{arguments.way.replace(' ', '_').replace(',', '')}-{seed}" / "run" for seed in arguments.seeds]
    errors = {}  # [part][stage]: one a seed
    for part in corpus.parts:
        said = utterances(corpus, part)
        of_part = errors[part] = {}
        for run in runs:
            for stage, found in own_errors(run, part).items():
                of_part.setdefault(stage, []).append(found)
            of_part.setdefault("ONNX int8", []).append(onnx_errors(program, run / "int8", said))
    first, part = arguments.seeds[0], corpus.parts[0]
    folders = {"float": float_folder(out, first), "fake_quantized": runs[0] / "checkpoints" / "after-adapt",
               "int8": runs[0] / "int8"}
    speeds = {stage: own_speed(program, folder, corpus, part) for stage, folder in folders.items()}
    sizes = {stage: sum(file.stat().st_size for file in folder.iterdir()) for stage, folder in folders.items()}
    onnx = errors[part]["ONNX int8"][0]
    speeds["ONNX int8"], sizes["ONNX int8"] = onnx["speed"], onnx["size"]
    rates = [f"{rate.upper()} {part}, %" for part in corpus.parts for rate in ("wer", "cer")]
    print(f"| | {' | '.join(rates)} | MB | x real time |\n|---|{'---|' * (len(rates) + 2)}")
    for stage in ("float", "ptq", "fake_quantized", "int8", "ONNX int8"):
        cells = [cell([found[rate] for found in errors[part][stage]])
                 for part in corpus.parts for rate in ("wer", "cer")]
        size = f"{sizes[stage] / 1e6:.2f}" if stage in sizes else ""
        speed = f"{speeds[stage]:.0f}" if stage in speeds else ""
        print(f"| {stage} | {' | '.join(cells)} | {size} | {speed} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())

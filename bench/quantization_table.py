#!/usr/bin/env python3
"""What each way of quantizing costs in word errors: one factor at a time, on equal schedules, over several seeds.

    bench/quantization_table.py demo|fsdd CORPUS OUT [--seeds 1 2 3] [--ways NAME...] [--jobs 2] [--build build]

    demo CORPUS   a corpus of scripts/make_demo_corpus.py, with --test-utterances where the test split shall be read
    fsdd CORPUS   the Free Spoken Digit Dataset's folder, read by its official split: recordings 0-4 of every speaker
                  and digit are the test, the others training

For every seed a float model is trained once; from it every way calibrates (PTQ), trains two epochs with fake
quantization and converts. OUT keeps each run, so that a table that was interrupted goes on, and more ways or seeds
can be added; accuracy_table.py reads them too. Each run computes on one thread, as many at once as --jobs.
"""
import argparse
import concurrent.futures
import json
import statistics
import subprocess
import sys
import wave
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLIPPED = {"range": "percentile", "percentile": 99.5}
DISTILLED = {"teacher": "start", "distillation_weight": 1.0, "distillation_temperature": 2.0}


# The schedule and decay of configs/recipes/*_qat.json; the rate is the quickstart's.
RECIPE = {"schedule": "linear", "warmup_share": 0.1, "warmup_start": 0, "lr_min": 0, "beta2": 0.98, "epsilon": 1e-8,
          "weight_decay": 0, "reduction": "utterances", "clip_norm": 1.0, "freeze_observers_at": 0.7}

QUANTIZED_PARTS = ("feature_extractor", "attention", "feed_forward")


def convolutions(preset="qnnpack", **fields):
    return {"feature_extractor": {"preset": preset} | fields}


FOUR_BITS = {"feature_extractor": "w4a8_clipped", "attention": "w4a8", "feed_forward": "w4a8"}

# From the first on, one factor at a time; then what the factors suggest together.
WAYS = {
    "qnnpack": (convolutions(), {}),
    "symmetric activations": (convolutions("qnnpack_symmetric"), {}),
    "weights per channel": (convolutions(per_channel_weights=True), {}),
    "min-max": (convolutions(range="min_max"), {}),
    "percentile 99.5": (convolutions(**CLIPPED), {}),
    "mean squared error": (convolutions(range="mse"), {}),
    "learned step": (convolutions(learned_step=True), {}),
    "channels smoothed": (convolutions(smoothing=0.5), {}),
    "distilled": (convolutions(), DISTILLED),
    "percentile 99.5, learned step": (convolutions(**CLIPPED, learned_step=True), {}),
    "qnnpack_clipped": (convolutions("qnnpack_clipped"), {}),
    "qnnpack_symmetric_clipped": (convolutions("qnnpack_symmetric_clipped"), {}),
    "qnnpack_clipped, distilled": (convolutions("qnnpack_clipped"), DISTILLED),
    "recipe": (convolutions("qnnpack_clipped"), RECIPE),
    "recipe, distilled": (convolutions("qnnpack_clipped"), RECIPE | DISTILLED),
    "w4a8": (FOUR_BITS, {}),
    "w4a8, distilled": (FOUR_BITS, DISTILLED),
    "w7": (dict.fromkeys(QUANTIZED_PARTS, "w7"), {}),
}


def decoded(name, corpus, resample=False, perturb=None, batch=None):
    """A corpus node and what follows it, under names that begin with `name`."""
    nodes, last = {name: corpus, f"{name}_decode": {"type": "decode", "from": name}}, f"{name}_decode"
    for step, node in (("resample", {"type": "resample", "rate_hz": 16000} if resample else None), ("perturb", perturb),
                       ("normalize", {"type": "normalize"})):
        if node:
            nodes[f"{name}_{step}"] = node | {"from": last}
            last = f"{name}_{step}"
    return nodes | {f"{name}_batch": batch | {"from": last}}


class Corpus:
    """The audio of a graph, and how long a float model learns from it."""

    def __init__(self, kind, root, out):
        quickstart = json.loads((HERE.parent / "configs" / "quickstart.json").read_text())["nodes"]
        self.learn = {key: value for key, value in quickstart["learn"].items() if key not in ("model", "audio")}
        self.adapt = {key: value for key, value in quickstart["adapt"].items() if key not in ("model", "audio")}
        self.adapt["epochs"] = 2
        train_batch = {key: value for key, value in quickstart["batch"].items() if key not in ("from", "comment")}
        perturb = {key: value for key, value in quickstart["perturb"].items() if key != "from"}
        dev_batch = {key: value for key, value in quickstart["dev_batch"].items() if key != "from"}
        if kind == "demo":
            split = lambda name: {"type": "librispeech", "root": str(root), "splits": [name]}
            splits = {"train": split("train-demo"), "dev": split("dev-demo")}
            if (root / "test-demo").is_dir():
                splits["test"] = split("test-demo")
        else:
            splits = {name: {"type": "manifest", "path": str(path)} for name, path in fsdd_manifests(root, out).items()}
            self.learn["epochs"], train_batch["max_padded_s"] = 10, 8
            self.adapt["lr"] = 1e-4  # 5e-4 unlearns: 2 epochs are a third of the demo's steps
        self.parts = [name for name in splits if name != "train"]
        self.audio = {}
        for name, node in splits.items():
            is_train = name == "train"
            self.audio |= decoded(name, node, kind == "fsdd", perturb if is_train else None,
                                  train_batch if is_train else dev_batch)


def fsdd_manifests(root, out):
    """The official split as manifests: the test split stands in for a dev split, and nothing is chosen on it."""
    words = "ZERO ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE".split()
    lines = {"train": [], "dev": []}
    for path in sorted((root / "recordings").glob("*.wav")):
        digit, _, index = path.stem.split("_")
        with wave.open(str(path)) as file:
            duration_s = file.getnframes() / file.getframerate()
        lines["dev" if int(index) < 5 else "train"].append(
            {"audio_filepath": str(path), "duration": duration_s, "text": words[int(digit)]})
    paths = {}
    for name, entries in lines.items():
        paths[name] = out / f"{name}.jsonl"
        paths[name].write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return paths


def evaluated(corpus, models):
    return {f"{part}_wer": {"type": "evaluate", "models": models, "audio": f"{part}_batch"} for part in corpus.parts}


def run(program, folder, seed, nodes):
    """Runs a graph in `folder` unless it has run there; a run that was cut off begins anew."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "run" / "summary.json").exists():
        graph = {"seed": seed, "threads": 1, "out": str(folder / "run"), "nodes": nodes}
        (folder / "graph.json").write_text(json.dumps(graph, indent=1))
        with open(folder / "log", "w") as log:
            command = [program, "--graph", folder / "graph.json", "--overwrite"]
            if subprocess.run(command, stdout=log, stderr=log).returncode != 0:
                raise SystemExit(f"{' '.join(map(str, command))} failed: see {folder / 'log'}")
    return folder / "run"


def float_run(program, corpus, out, seed):
    start = {"type": "model", "config": str(HERE.parent / "configs" / "tiny-wav2vec2"), "blank_bias": 4,
             "device": "cpu", "compute_threads": 1}
    nodes = {"start": start, "learn": corpus.learn | {"model": "start", "audio": "train_batch"}}
    return run(program, out / f"float-{seed}", seed, corpus.audio | nodes | evaluated(corpus, ["learn"]))


def float_folder(out, seed):
    return out / f"float-{seed}" / "run" / "checkpoints" / "after-learn"


def way_run(program, corpus, out, way, seed):
    observe, adapt = WAYS[way]
    nodes = {
        "start": {"type": "model", "path": str(float_folder(out, seed)), "device": "cpu",
                  "compute_threads": 1},
        "observe": {"type": "calibrate", "model": "start", "audio": "train_batch", "batches": 16} | observe,
        "adapt": corpus.adapt | adapt | {"model": "observe", "audio": "train_batch"},
        "int8": {"type": "convert", "model": "adapt", "half_positional_conv": True},
    }
    folder = out / f"{way.replace(' ', '_').replace(',', '')}-{seed}"
    return run(program, folder, seed, corpus.audio | nodes | evaluated(corpus, list(nodes)))


def word_errors(folder, part):
    """Percent by stage, and of the transcripts the share that conversion changed."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    errors = {line["model"]: 100 * line["wer"] for line in lines if line.get("node") == f"{part}_wer"}
    texts = []
    for stage in ("fake_quantized", "int8"):
        lines = (folder / f"{part}_wer-{stage}.jsonl").read_text().splitlines()
        texts.append([json.loads(line)["hypothesis"] for line in lines])
    differ = sum(a != b for a, b in zip(*texts, strict=True))
    return errors | {"changed": 100 * differ / len(texts[0])}


def cell(values):
    return f"{statistics.mean(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("demo", "fsdd"))
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), metavar="NAME")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--build", type=Path, default=HERE.parent / "build")
    arguments = parser.parse_args()
    program, out = arguments.build / "flowqat", arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    corpus = Corpus(arguments.kind, arguments.corpus.resolve(), out)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        list(pool.map(lambda seed: float_run(program, corpus, out, seed), arguments.seeds))
        runs = {(way, seed): pool.submit(way_run, program, corpus, out, way, seed)
                for way in arguments.ways for seed in arguments.seeds}
        concurrent.futures.wait(runs.values())
    for part in corpus.parts:
        print(f"\nWER %, {part}: mean (least-most) of seeds {', '.join(map(str, arguments.seeds))}\n")
        print("| | float | PTQ | fake-quantized | int8 | transcripts changed by conversion, % |")
        print("|---|---|---|---|---|---|")
        for way in arguments.ways:
            rows = [word_errors(runs[way, seed].result(), part) for seed in arguments.seeds]
            stages = ("float", "ptq", "fake_quantized", "int8", "changed")
            print(f"| {way} | {' | '.join(cell([row[stage] for row in rows]) for stage in stages)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What the trials of faults share: a small run that passes all phases, and what must be equal after any of them.

The run trains in float, calibrates, trains quantization-aware, writes both models, converts and evaluates, over a dozen
short utterances of which one is broken. It saves a checkpoint behind every step, so that most of its time is spent where
it is dangerous to be killed.
"""

import json
import math
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
import wave
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLOCKED = ("wall_s", "starved_share", "infer_s")  # of a list's line: what a clock says

CONFIG = {
    "model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"], "vocab_size": 32, "pad_token_id": 0,
    "conv_dim": [16] * 7, "conv_kernel": [10, 3, 3, 3, 3, 2, 2], "conv_stride": [5, 2, 2, 2, 2, 2, 2],
    "num_feat_extract_layers": 7, "conv_bias": False, "feat_extract_norm": "group", "do_stable_layer_norm": False,
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4, "initializer_range": 0.06,
    "hidden_dropout": 0.1, "activation_dropout": 0.1, "attention_dropout": 0.1, "feat_proj_dropout": 0.0,
    "final_dropout": 0.1, "layerdrop": 0.1, "mask_time_prob": 0.05,
}
PROCESSOR = {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "feature_size": 1, "sampling_rate": 16000,
             "do_normalize": True, "return_attention_mask": False, "padding_side": "right", "padding_value": 0.0}


def write_corpus(folder, name, utterances):
    folder.mkdir(parents=True, exist_ok=True)
    generator, lines = random.Random(name), []
    for number in range(utterances):
        path, seconds = folder / f"{name}-{number}.wav", 0.5 + 0.05 * number
        pitch = generator.uniform(100, 400)
        samples = [8000 * math.sin(2 * math.pi * pitch * i / 16000) + generator.uniform(-900, 900)
                   for i in range(round(16000 * seconds))]
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(b"".join(struct.pack("<h", round(sample)) for sample in samples))
        text = " ".join(generator.choices(("OPEN", "THE", "RED", "BOX", "NOW"), k=3))
        lines.append(json.dumps({"audio_filepath": path.name, "text": text}))
    (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


def graph(root):
    def audio(name):
        return {
            f"{name}_corpus": {"type": "manifest", "path": str(root / "audio" / f"{name}.jsonl"), "cache": False},
            f"{name}_decode": {"type": "decode", "from": f"{name}_corpus"},
            f"{name}_batch": {"type": "batch", "from": f"{name}_decode", "size": 3},
        }

    def train(model):
        return {"type": "train", "model": model, "audio": "train_batch", "epochs": 2, "lr": 1e-3, "log_every_steps": 2,
                "checkpoint_every_s": 1e-9}

    return {
        "threads": 1,
        "nodes": {
            **audio("train"), **audio("dev"),
            "start": {"type": "model", "config": str(root / "config"), "device": "cpu", "compute_threads": 1},
            "learn": train("start"),
            "float": {"type": "checkpoint", "model": "learn", "folder": "float"},
            "observe": {"type": "calibrate", "model": "float", "audio": "train_batch", "batches": 2},
            "adapt": train("observe"),
            "save": {"type": "checkpoint", "model": "adapt"},
            "int8": {"type": "convert", "model": "save"},
            "wer": {"type": "evaluate", "models": ["float", "observe", "save", "int8"], "audio": "dev_batch"},
        },
    }


class Broken(Exception):
    """What must hold did not."""


class World:
    """A folder with the corpus, the graph, and a run that nothing happened to."""

    def __init__(self, root, program, interposer):
        self.root, self.program, self.interposer = Path(root).resolve(), Path(program).resolve(), Path(interposer).resolve()
        write_corpus(self.root / "audio", "train", 9)
        write_corpus(self.root / "audio", "dev", 3)
        broken = self.root / "audio" / "train-4.wav"
        broken.write_bytes(broken.read_bytes()[:-4000])  # its header promises more
        (self.root / "config").mkdir()
        (self.root / "config" / "config.json").write_text(json.dumps(CONFIG))
        (self.root / "config" / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
        (self.root / "graph.json").write_text(json.dumps(graph(self.root)))
        self.whole, self.out = self.root / "whole", self.root / "out"
        begun = time.monotonic()
        done = self.run("run", self.root / "graph.json", "--out", self.whole)
        self.whole_s = time.monotonic() - begun
        if done.returncode != 0:
            raise Broken(f"the run fails where nothing happens to it: {done.stderr}")

    def environment(self, **faults):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FLOWQAT", "FAULTS"))}
        kept["OMP_WAIT_POLICY"] = "passive"
        if faults:
            kept["LD_PRELOAD"] = str(self.interposer)
            kept["FAULTS_FOLDER"] = str(self.out)
            kept.update({f"FAULTS_{name.upper()}": str(value) for name, value in faults.items()})
        return kept

    def run(self, *arguments, **faults):
        return subprocess.run([self.program, *map(str, arguments)], env=self.environment(**faults), capture_output=True,
                              text=True, errors="replace", timeout=600, stdin=subprocess.DEVNULL)

    def begin(self, **faults):
        self.clear()
        return self.run("run", self.root / "graph.json", "--out", self.out, **faults)

    def begin_and_kill(self, after_s):
        """SIGKILL from outside, so long after the start; returns whether it came before the end."""
        self.clear()
        process = subprocess.Popen([self.program, "run", self.root / "graph.json", "--out", self.out],
                                   env=self.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(after_s)
            return False
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True

    def clear(self):
        shutil.rmtree(self.out, ignore_errors=True)

    def go_on(self, **faults):
        """As a person would: resumes where there is a run, begins where there is none yet."""
        done = self.run("run", "--resume", self.out, **faults)
        if done.returncode == 2 and "holds no run to resume" in done.stderr:
            return self.run("run", self.root / "graph.json", "--out", self.out, **faults)
        return done

    def count_calls(self, calls=""):
        report = self.root / "report"
        done = self.begin(calls=calls, report=report)
        if done.returncode != 0:
            raise Broken(done.stderr)
        return int(report.read_text())

    def phase(self):
        """How far the run in `out` had come: the state that it would go on from, or its beginning."""
        states = self.out / "checkpoints"
        if not states.is_dir():
            return "nothing"
        names = [path.name for path in sorted(states.iterdir(), key=lambda path: path.stat().st_mtime_ns)]
        names = [name for name in names if not name.startswith("set-aside") and "." not in name]
        return names[-1] if names else "nothing"

    def check_equal(self):
        """Weights, lists, counts and digest are those of the run that nothing happened to; nothing else is left."""
        for folder in ("float", "model", "int8"):
            for path in sorted((self.whole / folder).rglob("*")):
                self.check_bytes(path.relative_to(self.whole))
        self.check_bytes("rejected.jsonl")
        for path in self.whole.glob("wer-*.jsonl"):
            self.check_bytes(path.name)
        if lines(self.out / "metrics.jsonl") != lines(self.whole / "metrics.jsonl"):
            raise Broken("metrics.jsonl has other lines")
        summary, expected = (json.loads((run / "summary.json").read_text()) for run in (self.out, self.whole))
        for key in ("utterances", "batches_sha256", "transcripts"):
            if summary[key] != expected[key]:
                raise Broken(f"summary.json: {key} is {summary[key]}, expected {expected[key]}")
        for key in ("wer", "cer", "size_bytes"):
            if summary["evaluations"]["wer"][key] != expected["evaluations"]["wer"][key]:
                raise Broken(f"summary.json: {key} differs")
        left = [str(path) for path in self.out.rglob("*") if path.suffix in (".partial", ".removing") or ".tmp-" in path.name]
        left = [path for path in left if "set-aside" not in path]
        if left or (self.out / ".removing").exists():
            raise Broken(f"left behind: {left}")

    def check_bytes(self, name):
        if (self.out / name).read_bytes() != (self.whole / name).read_bytes():
            raise Broken(f"{name} differs")

    def check_goes_on(self):
        done = self.go_on()
        if done.returncode != 0:
            raise Broken(f"it does not go on: status {done.returncode}\n{done.stderr}")
        self.check_equal()
        return done


def lines(path):
    read = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in CLOCKED} for line in read]


def spread(count, number):
    """So many whole numbers from 1 to `count`, evenly."""
    number = min(number, count)
    return sorted({1 + (2 * i + 1) * count // (2 * number) for i in range(number)} & set(range(1, count + 1)))


def say(text):
    print(text, flush=True, file=sys.stderr)

"""What the tests of several processes share: a small run that passes all phases, and ways to start and to disturb it.

The run trains in float with an evaluation now and then, calibrates, trains quantization-aware, writes the model, converts
and evaluates, over a few short utterances of which one is broken. A step has four batches, so that 1, 2 or 4 processes
can share it; the last step of an epoch has three, so that a rank may have nothing to do in it.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "faults"))
from support import CONFIG, PROCESSOR, lines, write_corpus  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TORCHRUN = ROOT / ".venv" / "bin" / "torchrun"


class Broken(Exception):
    """What must hold did not."""


def graph(root):
    def audio(name, size):
        return {
            f"{name}_corpus": {"type": "manifest", "path": str(root / "audio" / f"{name}.jsonl"), "cache": False},
            f"{name}_decode": {"type": "decode", "from": f"{name}_corpus"},
            f"{name}_batch": {"type": "batch", "from": f"{name}_decode", "size": size},
        }

    def train(model):
        return {"type": "train", "model": model, "audio": "train_batch", "dev": "dev_batch", "epochs": 2, "lr": 1e-3,
                "batches_per_step": 4, "log_every_steps": 1, "evaluate_every_steps": 2, "checkpoint_every_s": 1e-9,
                "keep_checkpoints": 100}

    return {
        "threads": 1, "timeout_s": 4,
        "nodes": {
            **audio("train", 2), **audio("dev", 1),
            "start": {"type": "model", "config": str(root / "config"), "device": "cpu", "compute_threads": 1},
            "learn": train("start"),
            "float": {"type": "checkpoint", "model": "learn", "folder": "float"},
            "observe": {"type": "calibrate", "model": "float", "audio": "train_batch", "batches": 20},
            "adapt": train("observe"),
            "save": {"type": "checkpoint", "model": "adapt"},
            "int8": {"type": "convert", "model": "save"},
            "wer": {"type": "evaluate", "models": ["float", "observe", "save", "int8"], "audio": "dev_batch"},
        },
    }


class World:
    """A folder with the corpus and the graph."""

    def __init__(self, root, program, environment=None):
        self.root, self.program = Path(root).resolve(), Path(program).resolve()
        self.more = environment or {}
        write_corpus(self.root / "audio", "train", 21)  # 11 batches: rounds of 4, 4 and 3
        write_corpus(self.root / "audio", "dev", 7)
        broken = self.root / "audio" / "train-4.wav"
        broken.write_bytes(broken.read_bytes()[:-4000])  # its header promises more
        (self.root / "config").mkdir()
        (self.root / "config" / "config.json").write_text(json.dumps(CONFIG))
        (self.root / "config" / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
        (self.root / "graph.json").write_text(json.dumps(graph(self.root)))

    def environment(self):
        hidden = ("FLOWQAT", "SLURM", "OMPI", "PMIX", "TORCHELASTIC")
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden) and name not in names}
        kept.update(OMP_WAIT_POLICY="passive", FLOWQAT_TRIAL=str(self.root), **self.more)
        return kept

    def ranks(self):
        """The processes that are ranks of runs of this world, by their rank, as /proc tells."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if not entry.name.isdigit() or Path(os.readlink(entry / "exe")) != self.program:
                    continue
                content = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            told = dict(item.split(b"=", 1) for item in content if b"=" in item)
            if told.get(b"FLOWQAT_TRIAL") == str(self.root).encode() and b"RANK" in told:
                found[int(told[b"RANK"])] = int(entry.name)
        return found

    def command(self, out, processes=1, launcher="--processes", extra=()):
        run = ["run", str(self.root / "graph.json"), "--out", str(out), "--resume-or-start", *map(str, extra)]
        if launcher == "torchrun" and processes > 1:
            return [str(TORCHRUN), "--standalone", "--no-python", "--max-restarts=2", "--monitor-interval=0.1",
                    f"--nproc-per-node={processes}", str(self.program), *run]
        if launcher == "mpirun" and processes > 1:
            return ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", str(processes), str(self.program), *run]
        return [str(self.program), *run, *(["--processes", str(processes)] if processes > 1 else [])]

    def start(self, out, errors, **how):
        with open(errors, "w") as file:
            return subprocess.Popen(self.command(out, **how), env=self.environment(), stdout=subprocess.DEVNULL, stderr=file,
                                    stdin=subprocess.DEVNULL, start_new_session=True)

    def run(self, out, **how):
        errors = self.root / "errors"
        process = self.start(out, errors, **how)
        try:
            process.wait(600)
        except subprocess.TimeoutExpired:
            end(self, process)
            raise Broken(f"hangs:\n{errors.read_text()}") from None
        return process.returncode, errors.read_text()

    def finish(self, out, **how):
        status, errors = self.run(out, **how)
        if status != 0:
            raise Broken(f"status {status}:\n{errors}")
        return errors


def end(world, process):
    """Whatever is left of what was started."""
    for number in [*world.ranks().values()]:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.kill()
    process.wait()


def check_equal(out, whole, tolerance=0.0):
    """Weights, lists, counts and digest are those of the other run; with a tolerance the weights and losses nearly."""
    for name in ("rejected.jsonl",) if tolerance else ("rejected.jsonl", "float/model.safetensors", "model/model.safetensors"):
        if (out / name).read_bytes() != (whole / name).read_bytes():
            raise Broken(f"{name} differs")
    mine, theirs = lines(out / "metrics.jsonl"), lines(whole / "metrics.jsonl")
    if len(mine) != len(theirs):
        raise Broken(f"metrics.jsonl has {len(mine)} lines, expected {len(theirs)}")
    for a, b in zip(mine, theirs):
        if not alike(a, b, tolerance):
            raise Broken(f"metrics.jsonl: {a}, expected {b}")
    summary, expected = (json.loads((run / "summary.json").read_text()) for run in (out, whole))
    for key in ("utterances", "batches_sha256"):
        if summary[key] != expected[key]:
            raise Broken(f"summary.json: {key} is {summary[key]}, expected {expected[key]}")
    if not tolerance:
        for path in whole.glob("wer-*.jsonl"):
            if path.read_bytes() != (out / path.name).read_bytes():
                raise Broken(f"{path.name} differs")
    left = [str(path) for path in out.rglob("*") if path.suffix in (".partial", ".removing")]
    if left:
        raise Broken(f"left behind: {left}")


def alike(a, b, tolerance):
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(alike(a[key], b[key], tolerance) for key in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(alike(x, y, tolerance) for x, y in zip(a, b))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool):
        return abs(a - b) <= tolerance * max(abs(a), abs(b))
    return a == b


def say(text):
    print(text, flush=True, file=sys.stderr)


def fresh(path):
    shutil.rmtree(path, ignore_errors=True)
    return path


def wait_for(condition, process, seconds=120):
    """Whether it came to be while the process was there."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.002)
    raise Broken("nothing came for too long")

"""Kills or stops a rank of a run in every phase, and looks how long the others live on, what they say, and whether the same
command, given again, comes to the same as a run that nothing happened to.

    tests/processes/trials.py [--number N] [--processes W] [--launcher --processes|torchrun] [--program build/flowqat]

N trials of each kind (SIGKILL and SIGSTOP) go through the phases meeting, step, saving, calibration and evaluation in
turn, with each rank in turn. A line of figures comes for every trial.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from world import ROOT, Broken, World, check_equal, end, fresh, say, wait_for  # noqa: E402

MINUTE_S = 60


def saves(out):
    return any((out / "checkpoints").glob("*.partial")) if (out / "checkpoints").is_dir() else False


PHASES = {
    "meeting": lambda out: True,
    "step": lambda out: (out / "metrics.jsonl").is_file() and (out / "metrics.jsonl").stat().st_size > 0,
    "saving": saves,
    "calibration": lambda out: (out / "checkpoints" / "after-float").is_dir(),
    "evaluation": lambda out: any(out.glob("wer-*.jsonl")),
}


def disturb(world, phase, victim, number, how):
    """Starts a run, does it, and returns how long every process lived on, with what was said."""
    out, errors = fresh(world.root / "out"), world.root / "errors"
    draw = random.Random(f"{phase} {victim} {number}")
    process = world.start(out, errors, **how)
    try:
        count = how["processes"]
        if not wait_for(lambda: len(world.ranks()) == count and PHASES[phase](out), process):
            raise Broken(f"the run was over before its {phase}:\n{errors.read_text()}")
        if phase in ("meeting", "step"):
            time.sleep(draw.uniform(0, 0.4))
        ranks = world.ranks()
        if victim not in ranks:
            raise Broken(f"rank {victim} was gone by itself")
        os.kill(ranks[victim], number)
        struck = time.monotonic()
        while process.poll() is None or world.ranks():
            if time.monotonic() - struck > 3 * MINUTE_S:
                raise Broken(f"{sorted(world.ranks())} still live:\n{errors.read_text()}")
            time.sleep(0.05)
        return time.monotonic() - struck, process.returncode, errors.read_text()
    finally:
        end(world, process)


def trial(world, phase, victim, number, how):
    lived_s, status, said = disturb(world, phase, victim, number, how)
    name = f"{signal.Signals(number).name} of rank {victim} in {phase}"
    if status == 0:
        return f"{name}: came too late"
    if lived_s > MINUTE_S:
        raise Broken(f"{name}: the others lived on for {lived_s:.0f} s:\n{said}")
    if f"rank {victim}" not in said:
        raise Broken(f"{name}: nothing names the rank:\n{said}")
    world.finish(world.root / "out", **how)
    check_equal(world.root / "out", world.root / "whole")
    told = [line for line in said.splitlines() if f"rank {victim}" in line]
    return f"{name}: all had ended after {lived_s:.1f} s, status {status}: {told[0]}"


def run_trials(world, number, how):
    world.finish(fresh(world.root / "whole"), **how)
    done = 0
    for kind in (signal.SIGKILL, signal.SIGSTOP):
        for i in range(number):
            phase = list(PHASES)[i % len(PHASES)]
            say(trial(world, phase, (i + i // len(PHASES)) % how["processes"], kind, how))
            done += 1
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--launcher", choices=("--processes", "torchrun"), default="--processes")
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "flowqat")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flowqat-processes-") as folder:
        world = World(folder, given.program)
        how = {"processes": given.processes, "launcher": given.launcher}
        say(f"{run_trials(world, given.number, how)} trials, every one gone on with to the same end")


if __name__ == "__main__":
    main()

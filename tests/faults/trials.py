"""Kills, damages, fills and fails a small run in every way, and looks whether what it ends with is always the same.

    tests/faults/trials.py [KIND...] [--number N] [--program build/flowqat] [--interposer build/libfaults_interposer.so]

KIND is one of these, and all of them where none is given:

    instants  SIGKILL from outside, at N instants spread evenly over the time of a run
    calls     SIGKILL at N of the calls that write below the run's folder: between two of them nothing changes on the
              disk, so that all of them (--number 0) are all that a kill can do
    twice     the same, and the run that goes on is killed as well
    overwrite SIGKILL at N of the calls of a run that replaces another one
    damage    N of the files of a run that was killed, and of one that is complete: a flipped bit, cut short, emptied, gone
    full      a disk that is full after N numbers of bytes
    errors    N of the calls fail, with each of EIO, ENOSPC and EACCES in turn

After every one of them the run is gone on with, and must come to the same weights, lists, counts and digest as a run that
nothing happened to. Where it refuses to (a list that lost lines), it names the file, and goes on once that is back.
"""

import argparse
import errno
import random
import shutil
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import ROOT, Broken, World, say, spread  # noqa: E402


def numbers(count, number):
    return spread(count, number if number > 0 else count)


def instants(world, number):
    for i in range(max(number, 1)):
        after_s = (i + 0.5) / max(number, 1) * world.whole_s
        was_killed = world.begin_and_kill(after_s)
        told = f"killed after {after_s:.2f} s of {world.whole_s:.2f} s, behind {world.phase()}" if was_killed else "too late"
        yield told, world.check_goes_on


def calls(world, number):
    count = world.count_calls()
    for nth in numbers(count, number):
        done = world.begin(nth=nth, error="kill")
        if done.returncode != -signal.SIGKILL:
            raise Broken(f"call {nth} of {count} did not come: status {done.returncode}\n{done.stderr}")
        yield f"killed at call {nth} of {count}, behind {world.phase()}", world.check_goes_on


def twice(world, number):
    count = world.count_calls()
    for nth in numbers(count, number):
        world.begin(nth=nth, error="kill")
        again = random.Random(nth).randint(1, max(1, (count - nth) // 2))
        world.go_on(nth=again, error="kill")
        told = f"killed at call {nth} of {count}, and at call {again} when it went on, behind {world.phase()}"
        yield told, world.check_goes_on


def check_replaced(world, arguments):
    """It is never taken for complete, nor for the new graph's while it is the old one's."""
    resumed = world.run("run", world.root / "graph.json", "--out", world.out, "--set", "seed=2", "--resume")
    if "this run is complete" in resumed.stderr:
        raise Broken(f"a run that was killed while it replaced another is called complete\n{resumed.stderr}")
    if resumed.returncode == 0 and not (world.out / "checkpoints" / "end").exists():
        raise Broken(f"it ended well and is not complete\n{resumed.stderr}")
    done = world.run(*arguments)
    if done.returncode != 0 or not (world.out / "notes.txt").exists():
        raise Broken(f"it cannot be replaced: {done.stderr}")
    world.check_equal()


def overwrite(world, number):
    """Of the first calls, with which the old run is removed, more than of the others."""
    arguments = ("run", world.root / "graph.json", "--out", world.out, "--overwrite")
    report, other = world.root / "report", world.root / "other"
    world.begin()
    (world.out / "notes.txt").write_text("not the run's")
    shutil.copytree(world.out, other)
    world.run(*arguments, "--set", "seed=2", report=report)
    count = int(report.read_text())
    for nth in sorted({*numbers(min(count, 80), number), *spread(count, number // 4)}):
        world.clear()
        shutil.copytree(other, world.out)
        world.run(*arguments, "--set", "seed=2", nth=nth, error="kill")
        yield f"killed at call {nth} of {count} while it replaced another run", partial(check_replaced, world, arguments)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "a bit of {} flipped": flip,
    "{} cut short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "{} emptied": lambda path: path.write_bytes(b""),
    "{} gone": lambda path: path.unlink(),
    "zeros for {}": lambda path: path.write_bytes(bytes(path.stat().st_size)),
}


def check_damaged(world, file, base):
    """It comes to the same, or says what is damaged and comes to the same once that is put back."""
    done = world.go_on()
    if done.returncode != 0:
        if done.returncode < 0 or file.name not in done.stderr or "--overwrite" in done.stderr:
            raise Broken(f"status {done.returncode}\n{done.stderr}")
        shutil.copy(base / file, world.out / file)
        world.check_goes_on()
    world.check_equal()


def damage(world, number):
    count = world.count_calls()
    killed = world.root / "killed"
    for base, nth in ((killed, 3 * count // 4), (world.whole, 0)):
        if nth:
            world.begin(nth=nth, error="kill")
            shutil.copytree(world.out, base)
        files = [path.relative_to(base) for path in sorted(base.rglob("*")) if path.stat().st_size > 0 and path.is_file()]
        cases = [(file, text) for file in files for text in DAMAGES]
        for at in numbers(len(cases), number):
            file, text = cases[at - 1]
            world.clear()
            shutil.copytree(base, world.out)
            DAMAGES[text](world.out / file)
            yield f"{base.name}: {text.format(file)}", partial(check_damaged, world, file, base)


def check_failed(world, done, reason):
    """It ended with an error that says what and why, or did not need what failed; and it goes on."""
    if done.returncode == 0:
        world.check_equal()
    elif done.returncode not in (1, 3) or reason not in done.stderr or str(world.out) not in done.stderr:
        raise Broken(f"status {done.returncode}, expected an error that names the file and \"{reason}\"\n{done.stderr}")
    world.check_goes_on()


def full(world, number):
    size = sum(path.stat().st_size for path in world.whole.rglob("*") if path.is_file())
    for room in numbers(3 * size, number or 100):
        done = world.begin(bytes=room)
        yield (f"a disk with room for {room} bytes, full behind {world.phase()}",
               partial(check_failed, world, done, "No space left on device"))


def errors(world, number):
    kinds = {errno.EIO: "Input/output error", errno.ENOSPC: "No space left on device", errno.EACCES: "Permission denied"}
    count = world.count_calls()
    for i, nth in enumerate(numbers(count, number)):
        code = list(kinds)[i % len(kinds)]
        done = world.begin(nth=nth, error=code)
        yield (f"call {nth} of {count} failed with {errno.errorcode[code]}, behind {world.phase()}",
               partial(check_failed, world, done, kinds[code]))


KINDS = {kind.__name__: kind for kind in (instants, calls, twice, overwrite, damage, full, errors)}


def run(kinds, number, program, interposer):
    """Returns how many trials went wrong."""
    wrong = 0
    for kind in kinds:
        with tempfile.TemporaryDirectory() as root:
            done = 0
            for told, check in KINDS[kind](World(root, program, interposer), number):
                done += 1
                try:
                    check()
                    say(f"{kind} {done}: {told}")
                except (Broken, OSError, ValueError, KeyError) as what:
                    wrong += 1
                    say(f"{kind} {done}: WRONG: {told}: {what}")
            say(f"{kind}: {done} trials")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", choices=[*KINDS, []])
    parser.add_argument("--number", type=int, default=100, help="of trials of each kind; 0: as many as there can be")
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "flowqat")
    parser.add_argument("--interposer", type=Path, default=ROOT / "build" / "libfaults_interposer.so")
    options = parser.parse_args()
    sys.exit(1 if run(options.kinds or list(KINDS), options.number, options.program, options.interposer) else 0)


if __name__ == "__main__":
    main()

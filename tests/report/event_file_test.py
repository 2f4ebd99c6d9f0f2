"""A run's event file, read by TensorBoard itself: its data server's reader in Python, and the same with the whole way
that its web page takes.

    event_file_test.py FLOWQAT
"""

import math
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from small_world import ENVIRONMENT, call, make_world, metrics

from tensorboard.backend.event_processing import event_accumulator

PROGRAM = Path(sys.argv[1]).resolve()


def run(*arguments):
    return call(PROGRAM, "run", *arguments)


def read(folder):
    """{tag: [(step, wall time, value)]}; size_guidance 0: all events, not a sample of them."""
    accumulator = event_accumulator.EventAccumulator(str(folder), size_guidance={event_accumulator.SCALARS: 0})
    accumulator.Reload()
    return {tag: [(event.step, event.wall_time, event.value) for event in accumulator.Scalars(tag)]
            for tag in accumulator.Tags()["scalars"]}


def flat(prefix, value):
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, dict):
        for key, part in value.items():
            yield from flat(f"{prefix}/{key}", part)
    elif isinstance(value, list):
        if len(value) == 2:
            yield from flat(f"{prefix}/lower", value[0])
            yield from flat(f"{prefix}/upper", value[1])
    elif math.isfinite(value):
        yield prefix, value


def expected(folder):
    """The same by metrics.jsonl: steps count over the run's train nodes."""
    found, node, before, last = {}, None, 0, 0
    for line in metrics(folder):
        if "step" in line:
            if line["node"] != node:
                node, before = line["node"], last
            last = before + line["step"]
        prefix = "/".join(filter(None, (line["node"], line.get("model"))))
        for key, value in line.items():
            if key != "step":
                for tag, number in flat(f"{prefix}/{key}", value):
                    found.setdefault(tag, []).append((last, number))
    return found


def check_equal(folder):
    events, wanted = read(folder), expected(folder)
    assert events.keys() == wanted.keys(), events.keys() ^ wanted.keys()
    for tag, rows in wanted.items():
        assert [row[0] for row in events[tag]] == [row[0] for row in rows], (tag, events[tag], rows)
        for (_, when, value), (_, number) in zip(events[tag], rows):
            assert math.isclose(value, number, rel_tol=1e-6, abs_tol=1e-30), (tag, value, number)
            assert abs(when - time.time()) < 3600
        times = [row[1] for row in events[tag]]
        assert times == sorted(times)
    return events


def event_files(folder):
    return sorted(folder.glob("*tfevents*"))


def test_whole(root):
    out = root / "whole"
    done = run(root / "graph.json", "--out", out)
    assert done.returncode == 0, done.stderr
    events = check_equal(out)
    assert len(events["learn/loss"]) == 12 and events["learn/loss"][-1][0] == 12
    assert len(events["adapt/loss"]) == 12 and events["adapt/loss"][-1][0] == 24
    for tag in ("learn/gradient_norm", "learn/learning_rate", "wer/float/wer", "wer/int8/cer"):
        assert tag in events, (tag, events.keys())
    (file,) = event_files(out)
    # A run that takes the folder takes the file away too.
    done = run(root / "graph.json", "--out", out, "--overwrite")
    assert done.returncode == 0, done.stderr
    check_equal(out)
    assert len(event_files(out)) == 1
    return events


def test_resumed(root, whole):
    """Killed twice in the middle, and seen by TensorBoard each time: no step comes twice, times stay what they were."""
    out, when = root / "killed", {}
    arguments = (root / "graph.json", "--out", out)
    for lines in (5, 16):
        process = subprocess.Popen([PROGRAM, "run", *map(str, arguments)], env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        metrics = out / "metrics.jsonl"
        while not metrics.is_file() or metrics.read_text().count("\n") < lines:
            assert process.poll() is None, process.stderr.read().decode()
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        for step, wall_time, _ in read(out).get("learn/loss", []):
            when.setdefault(step, wall_time)
        arguments = ("--resume", out)
    # What was half written, what is damaged, and a file that was not removed in time.
    (file,) = event_files(out)
    kept = file.read_bytes()
    file.write_bytes(kept[:-20] + bytes(20))
    (out / "events.partial").write_bytes(kept[:100])
    (out / "events.out.tfevents.1.flowqat").write_bytes(kept)
    done = run("--resume", out)
    assert done.returncode == 0, done.stderr
    (again,) = event_files(out)
    assert again.name > file.name
    assert not (out / "events.partial").exists()
    events = check_equal(out)
    assert events.keys() == whole.keys()
    for tag, rows in whole.items():
        if not tag.endswith(("wall_s", "starved_share", "infer_s")):
            assert [row[::2] for row in rows] == [row[::2] for row in events[tag]], (tag, rows, events[tag])
    first = events["learn/loss"][0]
    assert math.isclose(first[1], when[first[0]], abs_tol=1e-6), (first, when)


def test_followed(root):
    """A reader that looks on while the run writes sees every line, at once."""
    out = root / "followed"
    process = subprocess.Popen([PROGRAM, "run", str(root / "graph.json"), "--out", str(out)], env=ENVIRONMENT,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seen = 0
    while process.poll() is None:
        if (out / "metrics.jsonl").is_file() and event_files(out):
            lines = sum('"ranges"' not in line for line in (out / "metrics.jsonl").read_text().split("\n")[:-1])
            events = sum(len(rows) for tag, rows in read(out).items() if tag.endswith(("/loss", "/wer")))
            assert events >= lines - 1, (events, lines)  # the event comes behind its line
            seen += 0 < lines < 20
    assert process.returncode == 0 and seen > 0


with tempfile.TemporaryDirectory() as folder:
    world = Path(folder)
    make_world(world)
    of_whole = test_whole(world)
    test_resumed(world, of_whole)
    test_followed(world)
print("TensorBoard reads what metrics.jsonl holds")

"""`flowqat runs`: real runs, and folders in which something is wrong.

    runs_test.py FLOWQAT
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "report"))
from small_world import ENVIRONMENT, call, make_world, metrics

PROGRAM = Path(sys.argv[1]).resolve()


def listed(folder, *arguments):
    done = call(PROGRAM, "runs", folder, "--json", *arguments)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    told = json.loads(done.stdout)
    return {Path(run["path"]).name: run for run in told["runs"]}


def test_list(root):
    runs = root / "runs"
    graph = root / "graph.json"
    for name, changes in (("first", ()), ("second", ()), ("third", ("--set", "adapt.lr=0.002", "--set", "seed=7"))):
        done = call(PROGRAM, "run", graph, "--out", runs / "ways" / name, *changes)
        assert done.returncode == 0, done.stderr
    found = listed(runs)
    assert list(found) == ["third", "second", "first"]
    for run in found.values():
        assert run["state"] == "finished" and run["steps"] == 24
        best = min((line["wer"], line["model"]) for line in metrics(Path(run["path"])) if "wer" in line)
        assert run["best"]["wer"] == best[0] and run["best"]["of"].startswith("wer: ")
    assert found["first"]["differs"] == {} and found["second"]["differs"] == {}
    assert found["third"]["differs"] == {"seed": 7, "adapt.lr": 0.002}
    # One node less.
    fewer = json.loads(graph.read_text())
    for node in ("observe", "adapt", "save", "int8"):
        del fewer["nodes"][node]
    fewer["nodes"]["wer"]["models"] = ["float"]
    (root / "fewer.json").write_text(json.dumps(fewer))
    # Long enough to be looked at, and stopped.
    process = subprocess.Popen([PROGRAM, "run", str(root / "fewer.json"), "--out", str(runs / "running"), "--set",
                                "learn.epochs=5000"], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (runs / "running" / "metrics.jsonl").is_file() or not (runs / "running" / "metrics.jsonl").read_text():
        assert process.poll() is None
        time.sleep(0.02)
    found = listed(runs)
    assert found["running"]["state"] == "running" and "best" not in found["running"]
    differs = found["running"]["differs"]
    assert differs["adapt"] is None and differs["int8"] is None and differs["learn.epochs"] == 5000, differs
    process.send_signal(signal.SIGTERM)
    process.wait()
    assert listed(runs)["running"]["state"] == "interrupted"

    killed = runs / "killed"
    shutil.copytree(runs / "running", killed)
    (killed / "stopped.json").unlink()
    broken = runs / "broken"
    shutil.copytree(runs / "ways" / "first", broken)
    (broken / "graph.json").write_text("{")
    shutil.rmtree(broken / "checkpoints")
    lost = runs / "lost"
    lost.mkdir()
    (lost / "metrics.jsonl").write_bytes(b'{"node": "a", "wer": "x"}\n\xff\xfe{"wer": \n{"step": 1e99}\n')
    (runs / "empty").mkdir()
    os.symlink(runs, runs / "circle")
    found = listed(runs, "--sort", "name")
    assert list(found) == ["broken", "killed", "lost", "running", "first", "second", "third"]
    assert found["killed"]["state"] == "interrupted" and "without a word" in found["killed"]["why"]
    assert found["broken"]["state"] == "broken" and "graph.json" in found["broken"]["why"]
    assert found["lost"]["state"] == "broken" and "graph.json" in found["lost"]["why"]
    best = [run["best"]["wer"] for run in listed(runs, "--sort", "best").values() if "best" in run]
    assert len(best) == 4 and best == sorted(best)

    done = call(PROGRAM, "runs", runs)
    assert done.returncode == 0
    for text in ("third", "finished", "interrupted", "seed=7", "adapt.lr=0.002", "no adapt", "broken: ", "lost: broken"):
        assert text in done.stdout, (text, done.stdout)
    lines = done.stdout.splitlines()
    assert lines[0].split()[:3] == ["run", "state", "steps"]
    assert [name for name in listed(runs / "ways" / "third")] == ["third"]


def test_mistakes(root):
    done = call(PROGRAM, "runs", root / "no such")
    assert done.returncode == 2 and "is no folder" in done.stderr, done.stderr
    (root / "nothing").mkdir()
    done = call(PROGRAM, "runs", root / "nothing")
    assert done.returncode == 0 and done.stdout == "" and "holds no run" in done.stderr
    assert json.loads(call(PROGRAM, "runs", root / "nothing", "--json").stdout)["runs"] == []


with tempfile.TemporaryDirectory() as folder:
    world = Path(folder)
    make_world(world)
    test_list(world)
    test_mistakes(world)
print("runs are listed as they stand")

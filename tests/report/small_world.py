"""A small corpus, model and graph, and runs of them: what the tests of pages and lists share."""

import json
import os
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))
from support import CONFIG, PROCESSOR, graph, write_corpus

ENVIRONMENT = {**os.environ, "OMP_WAIT_POLICY": "passive"}


def make_world(root):
    write_corpus(root / "audio", "train", 9)
    write_corpus(root / "audio", "dev", 3)
    (root / "config").mkdir()
    (root / "config" / "config.json").write_text(json.dumps(CONFIG))
    (root / "config" / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    described = graph(root)
    for node in ("learn", "adapt"):
        described["nodes"][node].update(epochs=4, log_every_steps=1)
    (root / "graph.json").write_text(json.dumps(described))


def call(program, *arguments):
    return subprocess.run([program, *map(str, arguments)], env=ENVIRONMENT, capture_output=True, text=True, timeout=600)


def metrics(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]

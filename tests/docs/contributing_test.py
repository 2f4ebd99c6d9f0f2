#!/usr/bin/env python3
"""Follows CONTRIBUTING.md literally: its files are compiled against the build as they stand on the page, then used.

    contributing_test.py FLOWQAT

The files, and copies of those that the page has lines to add to, lie in a folder of their own in front of the source
tree; the program is linked once more with them.
"""

import json
import re
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

from pages import ROOT, blocks, example_files
from world import PROGRAM, write_wav

BUILD = PROGRAM.parent
PAGE = ROOT / "CONTRIBUTING.md"


def with_additions(text, diff):
    """Each + line behind the line that stands before it, which begins as the page has it, up to "..."."""
    lines, before = text.split("\n"), None
    for line in diff.split("\n"):
        if line.startswith("+"):
            found = [at for at, there in enumerate(lines) if there.startswith(before)]
            if len(found) != 1:
                raise AssertionError(f"found {len(found)} lines that begin with {before!r}, expected one")
            lines.insert(found[0] + 1, line[1:])
        before = line[1:].split("...")[0].rstrip()
    return "\n".join(lines)


class Overlay:
    """Files in front of the source tree, compiled and linked by the build's own commands."""

    def __init__(self, root):
        self.root = Path(root)
        self.compilations = json.loads((BUILD / "compile_commands.json").read_text())

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def compile(self, name):
        """As the build compiles the files beside it."""
        target = f"tests_{name.split('/')[1]}.dir" if name.startswith("tests/") else \
            "flowqat.dir" if name.startswith("cli/") else f"flowqat_{name.split('/')[0]}.dir"
        alike = next(entry for entry in self.compilations
                     if f"/{target}/" in entry["command"] and "cmake_pch" not in entry["file"])
        words = shlex.split(alike["command"])
        object_file = self.root / (name + ".o")
        words[words.index("-o") + 1] = str(object_file)
        words[words.index("-c") + 1] = str(self.root / name)
        first = next(i for i, word in enumerate(words) if word.startswith(("-I", "-isystem")))
        words.insert(first, f"-I{self.root}")
        self.call(words, alike["directory"])
        return object_file

    def link(self, target, objects, dropped=()):
        """The target with more objects, and without those whose name matches."""
        shown = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", target], capture_output=True, text=True, check=True)
        words = shlex.split(next(line for line in reversed(shown.stdout.split("\n")) if f"-o {target}" in line))
        words = words[words.index("&&") + 1:]
        words = words[:words.index("&&")]
        words = [word for word in words if not any(re.search(pattern, word) for pattern in dropped)]
        at = words.index("-o")
        words[at + 1] = str(self.root / target)
        self.call(words[:at] + [str(path) for path in objects] + words[at:], BUILD)
        return self.root / target

    @staticmethod
    def call(words, folder):
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, errors="replace")
        if done.returncode != 0:
            raise AssertionError(f"{shlex.join(map(str, words))}\n{done.stdout}{done.stderr}")


class Contributing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        cls.root = Path(holder.name)
        cls.overlay = Overlay(cls.root / "tree")
        cls.files, additions = example_files(PAGE)
        for name, text in cls.files.items():
            cls.overlay.write(name, text)
        for name, diff in additions.items():
            cls.overlay.write(name, with_additions((ROOT / name).read_text(), diff))
        changed = [name for name in additions if name.endswith(".cpp")]
        new = [name for name in cls.files if not name.startswith("tests/")]
        objects = {name: cls.overlay.compile(name) for name in new + changed}
        cls.nodes = [path for name, path in objects.items() if name.startswith("nodes/")]
        cls.program = cls.overlay.link("flowqat", objects.values(), [rf"/{re.escape(name)}\.o$" for name in changed])

    def call(self, *words):
        done = subprocess.run([self.program, *words], capture_output=True, text=True, cwd=self.root)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_new_files_were_found(self):
        self.assertEqual({name.split("/")[0] for name in self.files}, {"nodes", "tests", "cli"})
        for name in self.files:
            self.assertFalse((ROOT / name).exists(), f"{name} is there already")

    def test_the_node_types_are_known(self):
        for name in self.files:
            if name.startswith("nodes/"):
                self.assertIn("probability" if "polarity" in name else "path", self.call("nodes", Path(name).stem))

    def test_the_tests_pass(self):
        tests = [self.overlay.compile(name) for name in self.files if name.startswith("tests/nodes/")]
        self.assertTrue(tests)
        program = self.overlay.link("tests_nodes", [*tests, *self.nodes], [r"_test\.cpp\.o$"])
        done = subprocess.run([program], capture_output=True, text=True, cwd=self.root)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn("No tests ran", done.stdout)

    def test_a_graph_with_both_nodes_runs(self):
        for name in ("a", "b"):
            write_wav(self.root / f"{name}.wav", [0.1, -0.2] * 800)
        (self.root / "recordings.txt").write_text("a.wav\n\nb.wav\nlost.wav\n")
        turned = next(json.loads("{" + block.text + "}") for block in blocks(PAGE) if block.language == "json")
        graph = {"out": "run", "nodes": {
            "corpus": {"type": "list", "path": "recordings.txt", "cache": False},
            "decode": {"type": "decode", "from": "corpus"}, **turned,
            "batch": {"type": "batch", "from": "turned", "size": 1}}}
        (self.root / "graph.json").write_text(json.dumps(graph))
        self.call("--graph", "graph.json")
        summary = json.loads((self.root / "run/summary.json").read_text())
        self.assertEqual(summary["utterances"], {"done": 2, "rejected": 1})
        self.assertIn("lost.wav", (self.root / "run/rejected.jsonl").read_text())

    def test_the_command_counts_and_has_a_help(self):
        write_wav(self.root / "counted/deep/a.wav", [0.0] * 16000)
        write_wav(self.root / "counted/b.wav", [0.0] * 8000)
        self.assertEqual(self.call("count", "counted"), "2 recordings, 1.5 s\n")
        self.assertIn("how much audio a folder holds", self.call("help"))
        self.assertIn("FOLDER", self.call("count", "--help"))


if __name__ == "__main__":
    unittest.main()

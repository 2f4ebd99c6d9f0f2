#!/usr/bin/env python3
"""Runs every command of the README, of docs/ and of CONTRIBUTING.md, page by page in the order of reading.

    commands_test.py FLOWQAT

They are run as they stand, in the small world of world.py; the tables below say of each exception what happens instead.
A command that the tables do not need any more, or that begins with no known program, fails the test.
"""

import json
import re
import shlex
import tempfile
import unittest

from pages import ROOT, blocks, commands, pages, program, spans
from world import QUICKSTART, SHORT, World

# What may be run as it stands.
KNOWN = {".venv/bin/torchrun", "build/flowqat", "flowqat", "scripts/make_demo_corpus.py", "awk", "ffmpeg",
         "mkdir", "python3", "tar"}

# Commands that are not run here, and why.
NOT_RUN = {
    "scripts/test.sh": "runs this test",
    "scripts/test.sh -R nodes:": "the same",
    "scripts/setup.sh": "brought this test here",
    "scripts/setup.sh --tests": "the same",
    "CCACHE_DISABLE=1 cmake --build --preset release --clean-first --target flowqat": "minutes of both cores",
    "cmake --build --preset release --target flowqat flowqat_library": "built this",
    "cmake --install build --prefix ~/.local": "tests/library/install_test.py does it, into a folder of its own",
    "cmake --preset without-torch": "tests/library/without_torch_test.py does it",
    "cmake --build --preset without-torch --target flowqat flowqat_library": "the same",
    "(cd build-without-torch && cpack)": "the same",
    "pip wheel . --wheel-dir dist": "tests/library/wheel_test.py does it",
    "bench/quantization_table.py demo data/demo runs/ways": "hours",
    "bench/accuracy_table.py demo data/demo runs/ways qnnpack_clipped": "reads what the line above makes",
    "cmake --preset fuzz && cmake --build --preset fuzz --target fuzzers": "minutes of both cores",
    "pip install tensorboard && tensorboard --logdir runs": "ends when it is told to; tests/report/event_file_test.py reads",
    "tests/fuzz/run.py --seconds 60": "reads what the line above makes",
    "tests/fuzz/run.py --inputs 10000000 tokenizer": "the same",
}
COUNT_NOT_RUN = 17

# Commands in whose place others are run.
INSTEAD = {
    "scripts/quickstart.sh": QUICKSTART,
}

# What is added to commands that match, so that they end in seconds and find the servers on loopback.
ADDED = (
    (r"flowqat (--graph|run) configs/quickstart\.json", SHORT),
    (r"flowqat run runs/quickstart/graph\.json", SHORT),
    (r"flowqat fetch librispeech", "--base-url {corpora}"),
    (r"flowqat run configs/full\.json", "--set corpus.base_url={corpora} --set dev_corpus.base_url={corpora}"),
    (r"flowqat profile .*configs/data_only\.json", "--seconds 0.2 --set corpus.hours=0.005"),
)
# Pages each of whose blocks stands for itself: what it leaves is removed behind it.
SEPARATE = ("commands.md",)


def is_fragment(text):
    return not text.lstrip().startswith("{")


class Parsing(unittest.TestCase):
    def test_commands_end_where_the_shell_ends_them(self):
        self.assertEqual(commands("a b   # why\n\n# no command\nc 'd\ne' \\\n  f\ncat <<'END'\nx 'y\nEND\ng"),
                         ["a b", "c 'd\ne' \\\n  f", "cat <<'END'\nx 'y\nEND", "g"])
        with self.assertRaises(ValueError):
            commands("a 'b")

    def test_the_program_stands_behind_assignments(self):
        self.assertEqual(program("A=1 B='x y' build/flowqat nodes"), "build/flowqat")


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        cls.world = cls.enterClassContext(World(holder.name))

    def test_every_command_does_what_it_is_shown_for(self):
        used = set()
        for page in pages():
            self.world.remember()
            for block in blocks(page):
                if block.language in ("sh", "indented"):
                    for command in commands(block.text):
                        if block.language == "sh" or program(command) in KNOWN:
                            with self.subTest(place=block.place, command=command):
                                used |= self.follow(command)
                elif block.language not in ("json", "cpp", "diff", "csv"):
                    for line in block.text.split("\n"):
                        self.assertNotRegex(line, r"^(\$ )?(build/|scripts/|bench/)\w+",
                                            f"{block.place}: commands belong into a block of sh")
                if page.name in SEPARATE:
                    self.world.forget()
        self.assertEqual(used, {*NOT_RUN, *INSTEAD, *(pattern for pattern, _ in ADDED)}, "the tables have more than is used")
        self.assertEqual(len(NOT_RUN), COUNT_NOT_RUN)

    def follow(self, command):
        """Runs one, and returns the entries of the tables that it used."""
        if command in NOT_RUN:
            return {command}
        if command in INSTEAD:
            for other in INSTEAD[command]:
                self.succeed(other)
            return {command}
        self.assertIn(program(command), KNOWN, "this test does not know how to run that")
        used = {pattern for pattern, _ in ADDED if re.search(pattern, command)}
        more = [text.format(corpora=self.world.corpora.url) for pattern, text in ADDED if pattern in used]
        self.succeed(" ".join([command, *more]))
        return used

    def succeed(self, command):
        done = self.world.run(command)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")

    def test_every_command_in_a_sentence_is_the_programs(self):
        """`build/flowqat COMMAND --option ...` within text and tables: the command and its options are there."""
        helps = {}
        seen = 0
        for page in pages():
            for span in spans(page.read_text()):
                words = re.match(r"build/flowqat(?= )(.*)", span)
                if not words or page.name == "CHANGELOG.md":
                    continue
                with self.subTest(page=str(page.relative_to(ROOT)), span=span):
                    seen += 1
                    given = shlex.split(re.sub(r"[\[\]|]|\.\.\.", " ", words[1]))
                    names = tuple(self.subcommand(given))
                    if names not in helps:
                        done = self.world.run(shlex.join(["build/flowqat", *names, "--help"]))
                        self.assertEqual(done.returncode, 0, done.stderr)
                        helps[names] = done.stdout
                    for option in (word for word in given if word.startswith("--")):
                        self.assertIn(option, helps[names])
        self.assertGreater(seen, 5)

    @staticmethod
    def subcommand(words):
        for word in words:
            if not re.fullmatch(r"[a-z]+", word):
                return
            yield word
            if word != "fetch":
                return

    def test_every_graph_is_valid(self):
        """Whole graphs as they stand; single nodes in the place of the quickstart's."""
        seen = 0
        for page in pages():
            for block in blocks(page):
                if block.language != "json" or page.name == "CONTRIBUTING.md":
                    continue  # the latter's need its new nodes: contributing_test.py
                with self.subTest(place=block.place):
                    graph = json.loads("{" + block.text + "}" if is_fragment(block.text) else block.text)
                    if is_fragment(block.text):
                        nodes, graph = graph, json.loads((ROOT / "configs/quickstart.json").read_text())
                        graph["nodes"].update(nodes)
                    if "nodes" not in graph:
                        continue
                    seen += 1
                    (self.world.root / "graph.json").write_text(json.dumps(graph))
                    done = self.world.run("build/flowqat validate --graph graph.json")
                    self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreaterEqual(seen, 2)


if __name__ == "__main__":
    unittest.main()

"""What all processes of a run find wrong is told by one of them; what only one finds, by that one.

    told_once_test.py FLOWQAT
"""

import json
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from world import TORCHRUN, World  # noqa: E402

PROGRAM = sys.argv.pop(1)


class Told(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="flowqat-told-")
        cls.world = World(cls.folder.name, PROGRAM)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def ranks(self, *arguments):
        """The status and the words of each of two ranks that somebody started by hand."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        started = []
        for rank, own in enumerate(arguments):
            told = {"RANK": rank, "WORLD_SIZE": 2, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1",
                    "MASTER_PORT": port}
            started.append(subprocess.Popen([PROGRAM, "run", *own], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                            env={**self.world.environment(), **{k: str(v) for k, v in told.items()}}))
        return [(process.communicate(timeout=120)[1], process.returncode) for process in started]

    def out(self, name):
        return ["--out", str(self.world.root / name)]

    def test_a_key_that_is_wrong_for_all(self):
        graph = json.loads((self.world.root / "graph.json").read_text())
        graph["nodes"]["learn"]["epoch"] = 3
        (self.world.root / "wrong.json").write_text(json.dumps(graph))
        (first, status), (second, other) = self.ranks(*[[str(self.world.root / "wrong.json"), *self.out("wrong")]] * 2)
        self.assertEqual((status, other), (2, 2))
        self.assertIn('key "epoch": unknown key', first)
        self.assertEqual(second, "")

    def test_a_graph_that_only_one_lacks(self):
        graph = str(self.world.root / "graph.json")
        (first, status), (second, other) = self.ranks([graph, *self.out("lacks"), "--set", "timeout_s=5"],
                                                      [graph + ".none", *self.out("lacks")])
        self.assertEqual((status, other), (1, 2))
        self.assertIn("rank 1: ", second)
        self.assertIn("graph.json.none", second)
        self.assertIn("rank 1 of 2 did not come", first)

    def test_a_file_that_all_lack_and_what_comes_up_in_the_run(self):
        (self.world.root / "taken").write_text("no folder")
        wrong = [("lacking", "train_corpus.path=/nowhere.jsonl", "/nowhere.jsonl"), ("taken", "seed=2", "folder cannot be written")]
        if not Path("/dev/nvidiactl").exists():
            wrong.append(("gpu", "start.device=cuda", "device cuda is not there"))
        for out, changed, words in wrong:
            with self.subTest(changed):
                status, said = self.world.run(self.world.root / out, processes=2, extra=("--set", changed))
                self.assertNotEqual(status, 0, said)
                self.assertEqual(said.count(words), 1, said)
                self.assertNotIn("rank 1: ", said)

    def test_with_torchrun(self):
        if not TORCHRUN.exists():
            self.skipTest("no torch in .venv")
        command = [str(TORCHRUN), "--standalone", "--no-python", "--nproc-per-node=2", PROGRAM, "run", "/nowhere/graph.json"]
        done = subprocess.run(command, env=self.world.environment(), capture_output=True, text=True, timeout=120)
        self.assertEqual(done.stderr.count("flowqat: "), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()

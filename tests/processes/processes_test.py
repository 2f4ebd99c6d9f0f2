"""A run that several processes share, against the same of one: the same batches and, nearly, the same numbers.

    processes_test.py FLOWQAT
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from world import TORCHRUN, World, end, fresh, wait_for  # noqa: E402
from trials import run_trials  # noqa: E402

PROGRAM = Path(sys.argv.pop(1)).resolve()
TOLERANCE = 1e-3  # of what is trained with sums in another order, after some steps


class SharedRun(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="flowqat-processes-")
        cls.world = World(cls.folder.name, PROGRAM)
        cls.alone = cls.world.root / "alone"
        cls.world.finish(cls.alone)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def out(self):
        return fresh(self.world.root / self.id().rsplit(".", 1)[-1])

    def losses(self, out):
        read = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        return [line["loss"] for line in read if "learning_rate" in line and "loss" in line]

    def check_like_alone(self, out):
        mine, theirs = self.losses(out), self.losses(self.alone)
        self.assertEqual(len(mine), len(theirs))
        for a, b in zip(mine, theirs):
            self.assertAlmostEqual(a, b, delta=TOLERANCE * abs(b))
        self.assertLess(abs(mine[0] - theirs[0]), 1e-5 * theirs[0])  # before anything differs
        summary, expected = (json.loads((run / "summary.json").read_text()) for run in (out, self.alone))
        for key in ("utterances", "batches_sha256"):
            self.assertEqual(summary[key], expected[key])
        self.assertEqual((out / "rejected.jsonl").read_bytes(), (self.alone / "rejected.jsonl").read_bytes())
        for path in self.alone.glob("wer-*.jsonl"):  # in the same order, each utterance once
            ids = [[json.loads(line)["id"] for line in (run / path.name).read_text().splitlines()] for run in (self.alone, out)]
            self.assertEqual(*ids)

    def test_two_and_four_processes_give_what_one_gives(self):
        for processes in (2, 4):
            out = self.out()
            errors = self.world.finish(out, processes=processes)
            self.check_like_alone(out)
            self.assertEqual(errors.count("written to"), 1, errors)
            self.assertEqual(errors.count("M parameters on"), 1, errors)  # rank 0 alone speaks

    def test_torchrun_starts_them_too(self):
        if not TORCHRUN.exists():
            self.skipTest("no torch in .venv")
        out = self.out()
        self.world.finish(out, processes=2, launcher="torchrun")
        self.check_like_alone(out)

    def test_open_mpi_starts_them_too(self):
        if not shutil.which("mpirun"):
            self.skipTest("no mpirun: install openmpi-bin")
        for processes in (2, 4):
            out = self.out()
            self.world.finish(out, processes=processes, launcher="mpirun")
            self.check_like_alone(out)

    def test_torchrun_restarts_them_when_one_is_killed_and_the_run_goes_on(self):
        if not TORCHRUN.exists():
            self.skipTest("no torch in .venv")
        out, errors = self.out(), self.world.root / "errors"
        process = self.world.start(out, errors, processes=2, launcher="torchrun")
        try:
            self.assertTrue(wait_for((out / "checkpoints" / "step-2").is_dir, process))
            os.kill(self.world.ranks()[1], signal.SIGKILL)
            process.wait(240)
        finally:
            end(self.world, process)
        self.assertEqual(process.returncode, 0, errors.read_text())
        self.assertIn("learn: going on from", errors.read_text())
        self.check_like_alone(out)

    def test_a_run_goes_on_with_another_number_of_processes(self):
        out = self.out()
        for processes in (4, 2, 1):
            process = self.world.start(out, self.world.root / "errors", processes=processes)
            try:
                metrics = out / "metrics.jsonl"
                before = metrics.stat().st_size if metrics.exists() else 0
                grown = lambda metrics=metrics, before=before: metrics.exists() and metrics.stat().st_size > before
                if wait_for(grown, process):
                    process.send_signal(signal.SIGINT)
                process.wait(120)
            finally:
                end(self.world, process)
            self.assertIn(process.returncode, (0, 130), (self.world.root / "errors").read_text())
        self.world.finish(out, processes=2)
        self.check_like_alone(out)

    def test_a_signal_to_any_rank_saves_once_and_ends_all(self):
        out, errors = self.out(), self.world.root / "errors"
        process = self.world.start(out, errors, processes=4)
        try:
            metrics = out / "metrics.jsonl"
            self.assertTrue(wait_for(lambda: metrics.exists() and metrics.stat().st_size > 0, process))
            os.kill(self.world.ranks()[3], signal.SIGTERM)
            process.wait(60)
        finally:
            end(self.world, process)
        said = errors.read_text()
        self.assertEqual(process.returncode, 128 + signal.SIGTERM, said)
        self.assertEqual(said.count("; go on with --resume"), 1, said)
        self.world.finish(out, processes=4)
        self.check_like_alone(out)

    def test_a_number_of_processes_that_does_not_divide_a_step_is_refused(self):
        status, said = self.world.run(self.out(), processes=3)
        self.assertEqual(status, 2, said)
        self.assertIn('key "batches_per_step": is 4, and 3 processes', said)
        self.assertIn("1, 2, 4 processes", said)

    def test_half_a_set_of_variables_is_refused(self):
        command = self.world.command(self.out())
        done = subprocess.run(command, env={**self.world.environment(), "RANK": "1"}, capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("WORLD_SIZE is missing", done.stderr)

    def test_the_loss_of_a_rank_in_any_phase_ends_the_others_and_the_run_goes_on(self):
        self.assertEqual(run_trials(self.world, 5, {"processes": 2, "launcher": "--processes"}), 10)


if __name__ == "__main__":
    unittest.main()

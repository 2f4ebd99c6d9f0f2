"""A run that several processes share, each with a device of its own: the test device, and what stands in for NCCL.

    device_test.py FLOWQAT TEST_DEVICE STAND_IN
"""

import json
import os
import signal
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from world import World, end, wait_for  # noqa: E402

PROGRAM, DEVICE, STAND_IN = sys.argv[1:4]
del sys.argv[1:4]
ON_DEVICE = ("--set", "start.device=testdevice:0", "--set", "learn.shard_optimizer=true")


class SharedRun(unittest.TestCase):
    def losses(self, out):
        read = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        return [line["loss"] for line in read if "learning_rate" in line and "loss" in line]

    def test_a_whole_run_comes_to_what_one_process_comes_to_and_goes_on_where_one_is_lost(self):
        with tempfile.TemporaryDirectory(prefix="flowqat-devices-") as folder:
            world = World(folder, PROGRAM, {"LD_PRELOAD": DEVICE, "FLOWQAT_NCCL": STAND_IN})
            alone, out = world.root / "alone", world.root / "together"
            self.assertIn("M parameters on testdevice:0", world.finish(alone, extra=ON_DEVICE))
            process = world.start(out, world.root / "errors", processes=2, extra=ON_DEVICE)
            try:
                self.assertTrue(wait_for((out / "checkpoints" / "step-2").is_dir, process))
                os.kill(world.ranks()[1], signal.SIGKILL)
                process.wait(60)
            finally:
                end(world, process)
            self.assertEqual(process.returncode, 128 + signal.SIGKILL)
            self.assertIn("rank 1 of 2 gave no sign of life", (world.root / "errors").read_text())
            said = world.finish(out, processes=2, extra=ON_DEVICE)
            self.assertIn("learn: going on from", said)
            mine, theirs = self.losses(out), self.losses(alone)
            self.assertEqual(len(mine), len(theirs))
            for a, b in zip(mine, theirs):
                self.assertAlmostEqual(a, b, delta=1e-3 * abs(b))
            summary, expected = (json.loads((run / "summary.json").read_text()) for run in (out, alone))
            for key in ("utterances", "batches_sha256"):
                self.assertEqual(summary[key], expected[key])


if __name__ == "__main__":
    unittest.main()

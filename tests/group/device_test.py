"""Training in a group on devices: on the test device (tests/test_device), with a library that stands in for NCCL.

    device_test.py MEMBER TEST_DEVICE STAND_IN
"""

import json
import signal
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from members import Group, Member

PROGRAM, DEVICE, STAND_IN = sys.argv[1:4]
del sys.argv[1:4]
ENVIRONMENT = {"LD_PRELOAD": DEVICE, "FLOWQAT_NCCL": STAND_IN}


def group_of(size, environment=None, **told):
    return Group(PROGRAM, size, environment={**ENVIRONMENT, **(environment or {})}, device="testdevice:0", **told)


def alone(**what):
    member = Member(PROGRAM, {"alone": True, "device": "testdevice:0"}, ENVIRONMENT)
    try:
        assert member.answer() == "joined"
        member.tell("train", **what)
        return member.answers_until("trained")
    finally:
        member.cleanup()


def together(size, **what):
    with group_of(size, timeout_s=60) as group:
        group.joined()
        group.tell("train", **what)
        return [member.answers_until("trained") for member in group.members.values()]


class Steps(unittest.TestCase):
    def check(self, sizes=(2,), **what):
        expected = alone(**what)
        self.assertNotEqual(expected[0]["loss"], expected[-2]["loss"])
        for size in sizes:
            with self.subTest(size=size):
                told = together(size, **what)
                for rank, lines in enumerate(told):
                    for step, (one, found) in enumerate(zip(expected[:-1], lines[:-1], strict=True)):
                        self.assertAlmostEqual(found["loss"], one["loss"], delta=1e-5 * abs(one["loss"]), msg=(rank, step))
                        self.assertAlmostEqual(found["norm"], one["norm"], delta=1e-4 * abs(one["norm"]), msg=(rank, step))
                        self.assertEqual(found["steps"], one["steps"])
                    self.assertEqual(lines[-1], told[0][-1])
                largest = max(abs(a - b) for a, b in zip(expected[-1]["logits"], told[0][-1]["logits"], strict=True))
                self.assertLess(largest, 1e-3)

    def test_in_float(self):
        self.check((2, 4), steps=10, batches_per_step=4)

    def test_with_fake_quantization_and_processes_that_skip_other_layers(self):
        self.check(steps=8, batches_per_step=2, quantized=True, layerdrop=0.6)

    def test_distillation(self):
        self.check(steps=4, batches_per_step=4, teacher=True)

    def test_checkpointed_layers_and_a_round_without_a_batch(self):
        self.check(steps=4, batches_per_step=4, gradient_checkpointing=True, empty_step=2)

    def test_whoever_has_no_batch_takes_part(self):
        self.check(steps=4, batches_per_step=4, owners=[1, 1, 1, 1], quantized=True)

    def test_a_divided_optimizer_gives_the_same_bits(self):
        what = dict(steps=4, batches_per_step=2, quantized=True, layerdrop=0.5)
        whole, divided = together(2, **what), together(2, shard_optimizer=True, **what)
        self.assertEqual(divided, whole)
        with tempfile.TemporaryDirectory() as folder:
            together(2, shard_optimizer=True, save=folder, **what)
            four = together(4, first=4, load=folder, **what, shard_optimizer=True)
            self.assertEqual(four[0], four[3])

    def test_a_step_waits_for_nothing_and_copies_once_a_batch(self):
        for what in (dict(), dict(quantized=True), dict(shard_optimizer=True), dict(layerdrop=0.9, quantized=True),
                     dict(teacher=True, batches_per_step=4), dict(gradient_checkpointing=True)):
            with self.subTest(**what):
                what = {"batches_per_step": 2, **what}
                for lines in together(2, steps=6, counts=True, **what):
                    counts = [line for line in lines if "synchronizations" in line]
                    self.assertEqual(len(counts), 6)
                    for step in counts[1:]:
                        self.assertEqual(step, {"synchronizations": 0, "copies_to_host": 0, "unordered": 0,
                                                "copies_to_device": what["batches_per_step"] // 2})


class Failures(unittest.TestCase):
    def test_who_dies_or_hangs_in_a_step_is_named_by_the_others(self):
        for number in signal.SIGKILL, signal.SIGSTOP:
            for victim in 0, 2:
                with self.subTest(number=number, victim=victim), group_of(3, timeout_s=3) as group:
                    group.joined()
                    group.tell("train", steps=1_000_000, batches_per_step=3, layerdrop=0.5)
                    for unused in range(2):
                        group.answers()
                    group[victim].kill(number)
                    start = time.monotonic()
                    for rank in {0, 1, 2} - {victim}:
                        while "error" not in (answer := group[rank].answer()):
                            pass
                        self.assertEqual((answer["missing"], group[rank].process.wait(60)), ([victim], 3), answer)
                        self.assertEqual(group[rank].said(), "")
                    self.assertLess(time.monotonic() - start, 40)

    def test_a_wait_for_the_device_ends_when_a_process_has(self):
        """Of three, one dies when all have come to the gradients and before it brings its own."""
        with group_of(3, {"FLOWQAT_STAND_IN_DIES": "2:40"}, timeout_s=60) as group:
            group.joined()
            group.tell("train", steps=1_000_000, batches_per_step=3)
            start = time.monotonic()
            for rank in 0, 1:
                while "error" not in (answer := group[rank].answer()):
                    pass
                self.assertEqual((answer["missing"], group[rank].process.wait(60)), ([2], 3), answer)
            self.assertLess(time.monotonic() - start, 40)

    def test_what_does_not_end_in_time_is_given_up_by_all(self):
        """Who gives up last may hear first that the other has."""
        with group_of(2, {"FLOWQAT_STAND_IN_HANGS": "1:40"}, timeout_s=3) as group:
            group.joined()
            group.tell("train", steps=1_000_000, batches_per_step=2)
            start, gave_up = time.monotonic(), 0
            for rank in 0, 1:
                while "error" not in (answer := group[rank].answer()):
                    pass
                self.assertEqual(group[rank].process.wait(60), 3, answer)
                if answer["missing"]:
                    self.assertEqual(answer["missing"], [1 - rank], answer)
                    self.assertIn("left before the others", answer["error"])
                else:
                    self.assertIn("did not end within 3 s", answer["error"])
                    gave_up += 1
            self.assertGreater(gave_up, 0)
            self.assertLess(time.monotonic() - start, 40)

    def test_a_library_that_is_not_there_is_named_by_all(self):
        with group_of(2, {"FLOWQAT_NCCL": "/nowhere/libnccl.so.2"}) as group:
            group.joined()
            group.tell("train")
            for answer, status, unused in group.failures().values():
                self.assertEqual(status, 4)
                self.assertIn("rank 0 cannot exchange what is on testdevice:0: NCCL", answer["error"])
                self.assertIn("/nowhere/libnccl.so.2", answer["error"])

    def test_devices_of_two_kinds_are_refused(self):
        with group_of(2, ranks=[0]) as group:
            told = {**json.loads(group[0].process.args[1]), "rank": 1, "device": "cpu"}
            group.members[1] = Member(PROGRAM, told, ENVIRONMENT)
            group.joined()
            group.tell("train")
            for answer, status, unused in group.failures().values():
                self.assertEqual(status, 4)
                self.assertIn("rank 0 is on a device of kind testdevice, that of rank 1 on one of kind cpu", answer["error"])


if __name__ == "__main__":
    unittest.main()

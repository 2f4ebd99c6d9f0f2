"""Training in a group, with real processes: one step of R batches is the same step whoever brings them.

    training_test.py MEMBER
"""

import signal
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from members import Group, Member

PROGRAM = sys.argv.pop(1)


def alone(**what):
    member = Member(PROGRAM, {"alone": True})
    try:
        assert member.answer() == "joined"
        member.tell("train", **what)
        return member.answers_until("trained")
    finally:
        member.cleanup()


class Trained(unittest.TestCase):
    def together(self, size, **what):
        """What all print, which is the same, but for the rows that were skipped."""
        with Group(PROGRAM, size, timeout_s=60) as group:
            group.joined()
            group.tell("train", **what)
            told = [member.answers_until("trained") for member in group.members.values()]
        rows = [[line.pop("skipped", None) for line in one] for one in told]
        for one in told[1:]:
            self.assertEqual(one, told[0])
        return told[0], rows

    def compare(self, one, many, epsilon=1e-5, logits=1e-3):
        """Two courses of one training: losses by the share `epsilon`."""
        self.assertEqual(len(one), len(many))
        for step, (expected, found) in enumerate(zip(one[:-1], many[:-1])):
            for key in "loss", "norm":
                tolerance = epsilon * abs(expected[key]) * (1 if key == "loss" else 10)
                self.assertLessEqual(abs(found[key] - expected[key]), tolerance, (step, key, expected, found))
            self.assertEqual((found["steps"], found["infinite"]), (expected["steps"], expected["infinite"]))
        largest = max(abs(a - b) for a, b in zip(one[-1]["logits"], many[-1]["logits"]))
        self.assertLess(largest, logits)

    def check(self, sizes=(2,), **what):
        expected = alone(**what)
        self.assertNotEqual(expected[0]["loss"], expected[-2]["loss"])
        for size in sizes:
            with self.subTest(size=size):
                found, unused = self.together(size, **what)
                self.compare(expected, found)
        return expected


class Steps(Trained):
    def test_fifty_steps_in_float(self):
        self.check((2, 4), steps=50, batches_per_step=4)

    def test_fifty_steps_with_fake_quantization(self):
        # A sum of two gradients has the same bits in either order.
        expected = self.check(steps=50, batches_per_step=2, quantized=True)
        found, unused = self.together(2, steps=50, batches_per_step=2, quantized=True)
        self.assertEqual(found[-1], expected[-1])

    def test_fake_quantization_with_sums_in_another_order(self):
        # One of four has not: once its last bit has turned a rounding, the courses part by that step of a grid.
        self.check((2, 4), steps=3, batches_per_step=4, quantized=True)
        what = dict(steps=50, batches_per_step=4, quantized=True)
        expected = alone(**what)
        for size in 2, 4:
            found, unused = self.together(size, **what)
            self.compare(expected, found, epsilon=3e-3, logits=0.1)

    def test_learned_steps(self):
        self.check(steps=20, batches_per_step=2, quantized=True, learned_steps=True)

    def test_processes_that_skip_other_layers(self):
        self.check((2,), steps=20, batches_per_step=2, layerdrop=0.6)

    def test_distillation(self):
        for reduction in "mean", "characters", "sum":
            with self.subTest(reduction=reduction):
                self.check(steps=8, batches_per_step=4, teacher=True, reduction=reduction)

    def test_whoever_has_no_batch_takes_part(self):
        for owners in ([0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1, 1]):
            with self.subTest(owners=owners):
                self.check(steps=6, batches_per_step=4, owners=owners, layerdrop=0.5, quantized=True)

    def test_without_the_hint_of_the_last_batch(self):
        with_hint, unused = self.together(2, steps=6, batches_per_step=4, layerdrop=0.5)
        without, unused = self.together(2, steps=6, batches_per_step=4, layerdrop=0.5, hint=False)
        self.assertEqual(with_hint, without)
        self.check(steps=6, batches_per_step=4, hint=False, teacher=True)

    def test_checkpointed_layers_give_the_same_bits(self):
        kept, unused = self.together(2, steps=6, batches_per_step=4, quantized=True)
        again, unused = self.together(2, steps=6, batches_per_step=4, quantized=True, gradient_checkpointing=True)
        self.assertEqual(kept, again)

    def test_frozen_parts_and_the_head_alone(self):
        self.check(steps=8, batches_per_step=2, extractor=False, frozen="wav2vec2.encoder.layers.[12].*", layerdrop=0.5)
        self.check(steps=8, batches_per_step=2, head_only=True)

    def test_the_average_of_the_weights(self):
        expected = self.check(steps=8, batches_per_step=2, ema_decay=0.9)
        self.assertEqual(len(expected[-1]["digests"]), 4)

    def test_a_round_without_a_batch_changes_nothing(self):
        expected = self.check(steps=5, batches_per_step=2, empty_step=2, quantized=True)
        self.assertEqual([line["steps"] for line in expected[:-1]], [1, 1, 0, 1, 1])

    def test_a_batch_that_is_not_a_number_is_skipped_by_all_and_named_by_its_process(self):
        what = dict(steps=4, batches_per_step=4, broken=6, quantized=True)
        expected = alone(**what)
        self.assertEqual([line["skipped"] for line in expected[:-1]], [[], [[0, [[2, 0]]]], [], []])
        found, rows = self.together(2, **what)
        self.compare(expected, found)
        self.assertEqual(rows[0][:-1], [[], [[0, [[2, 0]]]], [], []])
        self.assertEqual(rows[1][:-1], [[], [[0, []]], [], []])


class Checkpoints(Trained):
    def test_a_divided_optimizer_gives_the_same_bits_and_its_checkpoint_goes_on_at_any_number(self):
        what = dict(batches_per_step=2, quantized=True, layerdrop=0.5)
        whole, unused = self.together(2, steps=6, **what)
        divided, unused = self.together(2, steps=6, shard_optimizer=True, **what)
        self.assertEqual(divided, whole)
        self.assertEqual(alone(steps=6, **what)[-1], whole[-1])
        with tempfile.TemporaryDirectory() as folder:
            self.together(2, steps=3, shard_optimizer=True, save=folder, **what)
            self.assertEqual(alone(steps=3, first=3, load=folder, **what)[-1], whole[-1])
            again, unused = self.together(2, steps=3, first=3, shard_optimizer=True, load=folder, **what)
            self.assertEqual(again, whole[3:])
            four, unused = self.together(4, steps=3, first=3, shard_optimizer=True, load=folder, **what)
            self.assertEqual(four[-1], whole[-1])


    def test_a_round_that_one_process_left_is_gone_on_with_by_any_number(self):
        for what in dict(), dict(learned_steps=True), dict(teacher=True):
            with self.subTest(**what), tempfile.TemporaryDirectory() as folder:
                what = dict(batches_per_step=4, quantized=True, layerdrop=0.5, **what)
                whole = alone(steps=5, **what)
                alone(steps=2, save=folder, left=2, **what)
                self.assertEqual(alone(steps=3, first=2, load=folder, left=2, **what), whole[2:])
                for size in 2, 4:
                    again, unused = self.together(size, steps=3, first=2, load=folder, left=2, **what)
                    self.compare(whole[2:], again)


class Failures(unittest.TestCase):
    def test_who_dies_or_hangs_in_a_step_is_named_by_the_others(self):
        for number in signal.SIGKILL, signal.SIGSTOP:
            for victim in 0, 2:
                with self.subTest(number=number, victim=victim), Group(PROGRAM, 3, timeout_s=3) as group:
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


class Models(Trained):
    def test_other_weights_are_refused_by_name(self):
        with Group(PROGRAM, 2) as group:
            group.joined()
            group.tell("train", own_seeds=True)
            for answer, status, unused in group.failures().values():
                self.assertEqual(status, 4)
                self.assertIn("the model of rank 1 is not that of rank 0", answer["error"])
                self.assertIn("\"wav2vec2.", answer["error"])


if __name__ == "__main__":
    unittest.main()

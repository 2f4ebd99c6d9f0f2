"""The group itself, with real processes: what all exchange, and what is said where one is missing.

    group_test.py MEMBER
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from members import Group, Member, free_port

PROGRAM = sys.argv.pop(1)


class Exchange(unittest.TestCase):
    def test_two_and_four_processes_exchange_numbers_and_texts(self):
        for size in 2, 4:
            with self.subTest(size=size), Group(PROGRAM, size) as group:
                group.joined()
                for rank, member in group.members.items():
                    member.tell("sum", values=[rank + 1, 0.1, -rank])
                sums = group.answers()
                self.assertAlmostEqual(sums[0][0], size * (size + 1) / 2)
                self.assertAlmostEqual(sums[0][1], 0.1 * size)
                self.assertEqual(set(map(str, sums.values())), {str(sums[0])})
                for rank, member in group.members.items():
                    member.tell("largest", values=[rank, -rank])
                self.assertEqual(set(map(str, group.answers().values())), {str([size - 1.0, 0.0])})
                texts = ["", "ä\u0000b", "x" * 100_000, "last"][:size]
                for rank, member in group.members.items():
                    member.tell("gather", text=texts[rank])
                for answer in group.answers().values():
                    self.assertEqual(answer, texts)
                for text in "of the first", "":
                    for rank, member in group.members.items():
                        member.tell("broadcast", text=text if rank == 0 else f"of {rank}")
                    self.assertEqual(set(group.answers().values()), {text})
                group.tell("barrier")
                self.assertEqual(set(group.answers().values()), {"passed"})
                for member in group.members.values():
                    member.process.stdin.close()
                for rank, member in group.members.items():
                    self.assertEqual((member.end(), member.said()), (0, ""), rank)

    def test_none_passes_a_barrier_before_all_have_come(self):
        with Group(PROGRAM, 2) as group:
            group.joined()
            group[0].tell("barrier")
            time.sleep(1)
            start = time.monotonic()
            group[1].tell("barrier")
            group[0].answer()
            self.assertLess(time.monotonic() - start, 1)

    def test_one_process_alone_opens_no_port(self):
        port = free_port()
        with Group(PROGRAM, 1, port=port) as first, Group(PROGRAM, 1, port=port) as second:
            for group in first, second:
                group.joined()
                group.tell("sum", values=[1.5])
                self.assertEqual(group.answers(), {0: [1.5]})

    def test_the_interface_that_the_environment_names_is_used(self):
        with Group(PROGRAM, 2, environment={"GLOO_SOCKET_IFNAME": "lo"}) as group:
            group.joined()
        with Group(PROGRAM, 2, environment={"GLOO_SOCKET_IFNAME": "nosuch7"}, timeout_s=3) as group:
            for answer, status, unused in group.failures().values():
                self.assertNotEqual(status, 0)
                self.assertIn("nosuch7", answer["error"])


class Missing(unittest.TestCase):
    def check(self, group, failures, missing, text, within_s):
        for rank, (answer, status, took_s) in failures.items():
            with self.subTest(rank=rank):
                self.assertEqual((status, answer.get("missing")), (3, missing), answer)
                self.assertIn(text, answer["error"])
                self.assertLess(took_s, within_s)
                self.assertNotIn("\n", answer["error"])
        for rank in failures:
            self.assertEqual(group[rank].said(), "", rank)

    def test_who_never_comes_is_named_by_all_that_came(self):
        with Group(PROGRAM, 4, ranks=(0, 2), timeout_s=2) as group:
            self.check(group, group.failures(), [1, 3], "ranks 1, 3 of 4 did not come within 2 s", 15)
        with Group(PROGRAM, 2, ranks=(1,), timeout_s=2) as group:
            self.check(group, group.failures(), [0], "rank 0 of 2 did not come within 2 s", 15)

    def test_who_is_killed_is_named_within_seconds(self):
        for victim in 0, 1:
            with self.subTest(victim=victim), Group(PROGRAM, 3) as group:
                group.joined()
                group.tell("barrier", but=(victim,))
                time.sleep(0.5)
                group[victim].kill()
                text = "rank 0 of 3, which holds the store" if victim == 0 else "rank 1 of 3 gave no sign of life"
                self.check(group, group.failures(but=(victim,)), [victim], text, 20)

    def test_who_is_stopped_is_named_after_the_timeout(self):
        for victim in 0, 2:
            with self.subTest(victim=victim), Group(PROGRAM, 3, timeout_s=2) as group:
                group.joined()
                group[victim].kill(signal.SIGSTOP)
                group.tell("sum", but=(victim,), values=[1])
                text = "rank 0 of 3, which holds the store" if victim == 0 else "rank 2 of 3 gave no sign of life"
                self.check(group, group.failures(but=(victim,)), [victim], text, 25)

    def test_who_lives_but_does_not_come_is_told_from_who_is_gone(self):
        with Group(PROGRAM, 3, timeout_s=2) as group:
            group.joined()
            group.tell("barrier")
            group.answers()
            group.tell("sum", but=(1,), values=[1])
            self.check(group, group.failures(but=(1,)), [1], "rank 1 of 3 lives but has not come to this", 25)

    def test_who_leaves_for_a_reason_of_its_own_is_named(self):
        for victim in 0, 1:
            with self.subTest(victim=victim), Group(PROGRAM, 3) as group:
                group.joined()
                group.tell("barrier", but=(victim,))
                group[victim].tell("fail")
                self.check(group, group.failures(but=(victim,)), [victim], f"rank {victim} of 3 left before the others", 20)
                self.assertEqual(group[victim].answer(), {"error": "told to fail"})


class Refused(unittest.TestCase):
    def error_of(self, member):
        answer = member.answer()
        while answer == "joined":
            answer = member.answer()
        member.process.wait(60)
        return answer["error"]

    def test_a_port_that_is_taken(self):
        with Group(PROGRAM, 2, ranks=(0,), timeout_s=20) as first:
            time.sleep(2)
            port = json.loads(first[0].process.args[1])["port"]
            with Group(PROGRAM, 2, ranks=(0,), port=port, timeout_s=3) as second:
                error = self.error_of(second[0])
                self.assertIn(f"rank 0 cannot listen at port {port}", error)
                self.assertIn("choose another MASTER_PORT", error)

    def test_two_of_one_rank_and_two_sizes(self):
        port = free_port()
        with Group(PROGRAM, 3, ranks=(0, 1), port=port, timeout_s=25):
            time.sleep(5)  # they are there first
            other = Member(PROGRAM, {"rank": 1, "size": 3, "port": port, "timeout_s": 25})
            larger = Member(PROGRAM, {"rank": 3, "size": 4, "port": port, "timeout_s": 25})
            try:
                self.assertIn("rank 3 was told of 4 processes, another of 3", self.error_of(larger))
                self.assertIn("two processes say that they are rank 1 of 3", self.error_of(other))
            finally:
                other.cleanup()
                larger.cleanup()

    def test_ranks_that_cannot_be(self):
        for told, text in (({"rank": 2, "size": 2}, "found rank 2 of 2"), ({"rank": 0, "size": 0}, "found rank 0 of 0"),
                           ({"rank": 0, "size": 2, "local_size": 3}, "found local rank 0 of 3 in a group of 2"),
                           ({"rank": 0, "size": 2, "port": 70000}, "found 70000"),
                           ({"rank": 0, "size": 2, "timeout_s": 0}, "at least 0.1")):
            with self.subTest(told=told):
                member = Member(PROGRAM, told)
                try:
                    self.assertIn(text, self.error_of(member))
                finally:
                    member.cleanup()


@unittest.skipUnless(importlib.util.find_spec("transformers"), "no transformers in .venv")
class Torchrun(unittest.TestCase):
    def test_processes_meet_at_the_launchers_store_and_again_after_a_restart(self):
        commands = [json.dumps(command) for command in (
            {"do": "sum", "values": [1]}, {"do": "die_at_attempt", "attempt": 0}, {"do": "sum", "values": [2]})]
        launched = subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", "--no-python", "--nproc-per-node", "2", "--max-restarts",
             "1", "--master-port", str(free_port()), "--monitor-interval", "0.1", PROGRAM, "{}", *commands],
            capture_output=True, text=True, timeout=120, env={**os.environ, "OMP_NUM_THREADS": "1"})
        self.assertEqual(launched.returncode, 0, launched.stderr)
        lines = launched.stdout.split("\n")
        self.assertEqual(lines.count("[4.0]"), 2, launched.stdout)
        self.assertEqual(lines.count("[2.0]"), 4, launched.stdout)


if __name__ == "__main__":
    unittest.main()

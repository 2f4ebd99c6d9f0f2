"""The short form of trials.py: a few of each kind, other ones than the long form's."""

import os
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from trials import KINDS, run  # noqa: E402

PROGRAM, INTERPOSER = (Path(sys.argv.pop(1)).resolve() for _ in range(2))
NUMBERS = {"instants": 4, "calls": 8, "twice": 3, "overwrite": 4, "damage": 6, "full": 3, "errors": 6}


class Faults(unittest.TestCase):
    def test_every_kind_has_a_number(self):
        self.assertEqual(set(NUMBERS), set(KINDS))


def add(kind, number):
    def test(self):
        self.assertEqual(run([kind], number, PROGRAM, INTERPOSER), 0, "what went wrong is told above")

    setattr(Faults, f"test_{kind}", test)


for _kind, _number in NUMBERS.items():
    add(_kind, _number)

if __name__ == "__main__":
    os.environ.pop("LD_PRELOAD", None)
    unittest.main()

#!/usr/bin/env python3
"""Every promise of docs/security.md names tests that keep it, and those tests are there.

    security_test.py [FLOWQAT]
"""

import re
import sys
import unittest

from pages import ROOT

PAGE = ROOT / "docs" / "security.md"


def promises():
    """(promise, what stands in its last column) of every row of the page's tables."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [(row[0], row[-1]) for row in rows if row[0] != "promise"]


def titles():
    """Of every C++ test, by the file that holds it."""
    found = {}
    for source in (ROOT / "tests").rglob("*.cpp"):
        # A long title is split into several literals.
        for case in re.findall(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', source.read_text()):
            title = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', case)).replace('\\"', '"')
            found[title] = source
    return found


class Security(unittest.TestCase):
    def test_every_promise_is_kept_by_tests_that_exist(self):
        known = titles()
        self.assertGreater(len(promises()), 20)
        for promise, kept_by in promises():
            with self.subTest(promise=promise):
                named = re.findall(r"“([^”]+)”", kept_by)
                scripts = re.findall(r"`(tests/[^`]+)`", kept_by)
                self.assertTrue(named or scripts, "names neither a test's title in “quotes” nor a file of tests/")
                for title in named:
                    self.assertIn(title, known, "there is no test of this title")
                for script in scripts:
                    self.assertTrue((ROOT / script).exists(), f"there is no {script}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

"""What scripts/test.sh says of skipped tests, and which of them it refuses; what scripts/at_level.py holds."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
SCRIPTS = TESTS.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))
from at_level import INSTRUCTIONS, reaches

REPORT = """<?xml version="1.0"?>
<testsuite>
  <testcase name="one" status="run"><system-out>fine</system-out></testcase>
  <testcase name="two" status="fail"><failure message=""/><system-out>no</system-out></testcase>
  <testcase name="three" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/><system-out>hello
skipped: {reason}
bye</system-out></testcase>
</testsuite>
"""


def run(*command, **environment):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLOWQAT")}
    return subprocess.run([*map(str, command)], capture_output=True, text=True, env=inherited | environment)


class Case(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = Path(holder.name)

    def summary(self, reason, **environment):
        report = self.root / "report.xml"
        report.write_text(REPORT.format(reason=reason))
        return run(sys.executable, SCRIPTS / "test_summary.py", report, **environment)


class TheSummary(Case):
    def test_a_reason_that_is_true_is_counted(self):
        result = self.summary("no FLOWQAT_TEST_DATA")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("tests: 2 run, 1 failed, 1 skipped", result.stdout)
        self.assertIn("1 skipped: no FLOWQAT_TEST_DATA", result.stdout)
        self.assertIn("three", result.stdout)

    def test_a_reason_that_is_not_true_of_this_machine_fails(self):
        result = self.summary("no FLOWQAT_TEST_DATA", FLOWQAT_TEST_DATA="/somewhere")
        self.assertEqual(result.returncode, 1)
        self.assertIn("should not have been skipped here", result.stdout)

    def test_what_the_set_up_installs_is_no_reason(self):
        for reason in ("no transformers in .venv", "flac is not installed", "something else"):
            self.assertEqual(self.summary(reason).returncode, 1, reason)

    def test_levels_are_reasons_where_they_are_not_reached(self):
        for level in INSTRUCTIONS:
            result = self.summary(f"this processor does not reach {level}")
            self.assertEqual(result.returncode, 1 if reaches(level) else 0, level)
        self.assertEqual(self.summary("this processor does not reach avx9").returncode, 1)
        held = self.summary("no FLOWQAT_TEST_DATA", FLOWQAT_TARGET="scalar")
        self.assertEqual(held.returncode, 0, held.stdout)
        others = ", ".join(level for level in INSTRUCTIONS if level != "scalar")
        self.assertIn(f"reached scalar; not reached {others} (held to scalar)", held.stdout)


class TheRunners(Case):
    def run_python(self, body, *options):
        script = self.root / "some_test.py"
        script.write_text("import sys, unittest\nclass T(unittest.TestCase):\n" + body + "\nunittest.main()\n")
        return run(sys.executable, TESTS / "run_python.py", *options, script)

    def test_a_python_test_that_skips_ends_with_77_unless_it_fails(self):
        skips = "    def test_a(self): self.skipTest('why')\n"
        self.assertEqual(self.run_python("    def test_a(self): pass\n").returncode, 0)
        skipped = self.run_python(skips)
        self.assertEqual(skipped.returncode, 77)
        self.assertIn("skipped: why\n", skipped.stdout)
        self.assertEqual(self.run_python(skips + "    def test_b(self): self.fail()\n").returncode, 1)

    def test_a_missing_module_skips_the_whole(self):
        result = self.run_python("    def test_a(self): self.fail()\n", "--needs", "sys,no_such_module")
        self.assertEqual(result.returncode, 77)
        self.assertIn("skipped: no no_such_module in .venv\n", result.stdout)

    def test_a_level_holds_the_command_or_skips_it(self):
        for level in INSTRUCTIONS:
            result = run(sys.executable, SCRIPTS / "at_level.py", level, "sh", "-c", "echo $FLOWQAT_TARGET")
            if reaches(level):
                self.assertEqual((result.returncode, result.stdout), (0, level + "\n"))
            else:
                self.assertEqual(result.returncode, 77)
                self.assertIn(f"skipped: this processor does not reach {level}", result.stdout)
        self.assertEqual(run(sys.executable, SCRIPTS / "at_level.py", "avx9", "true").returncode, 1)


if __name__ == "__main__":
    unittest.main()

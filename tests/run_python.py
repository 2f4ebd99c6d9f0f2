"""Runs a Python test for CTest: in the right environment, and with a status of its own if something was skipped.

    run_python.py [--environment DIR] [--needs MODULE,...] TEST.py [ARGUMENT...]

Takes DIR/bin/python where it is there. Without a module that is needed, the test is skipped as a whole. What
unittest skips is said as `skipped: REASON`, and the status is then 77 unless something failed.
"""

import argparse
import importlib.util
import os
import runpy
import sys
import unittest
from pathlib import Path

SKIPPED = 77  # SKIP_RETURN_CODE in CMakeLists.txt


def skip(reasons):
    for reason in sorted(set(reasons)):
        print(f"skipped: {reason}", flush=True)
    sys.exit(SKIPPED)


def main():
    sys.dont_write_bytecode = True
    parser = argparse.ArgumentParser()
    parser.add_argument("--environment", type=Path)
    parser.add_argument("--needs", default="")
    parser.add_argument("test")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.environment and Path(sys.prefix).resolve() != options.environment.resolve():
        python = options.environment / "bin" / "python"
        if python.exists():
            os.execv(python, [str(python), *sys.argv])
    missing = [name for name in options.needs.split(",") if name and not importlib.util.find_spec(name)]
    if missing:
        skip([f"no {missing[0]} in .venv"])

    reasons = []
    add_skip = unittest.TestResult.addSkip

    def remember(result, test, reason):
        reasons.append(reason)
        add_skip(result, test, reason)

    unittest.TestResult.addSkip = remember
    sys.argv = [options.test, *options.arguments]
    sys.path[0] = str(Path(options.test).parent)
    try:
        runpy.run_path(options.test, run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0, False):
            raise
    if reasons:
        skip(reasons)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Counts what a run of CTest did, and refuses skipped tests that this machine should have run.

    scripts/test_summary.py REPORT.xml       the report of `ctest --output-junit`

Prints the skipped tests by their reasons and the instruction levels that were not reached. Ends with status 1 if
a reason is not true of this machine, or none that may be given.
"""

import os
import platform
import re
import sys
import xml.etree.ElementTree as xml
from collections import defaultdict
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
from at_level import INSTRUCTIONS, reaches

CAP_SYS_ADMIN = 21


def may_mount():
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return bool(int(re.search(r"^CapEff:\s*(\w+)", status, re.M).group(1), 16) >> CAP_SYS_ADMIN & 1)


def has_gpu():
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists()


def has_gpu_compiler():
    site_packages = Path(__file__).resolve().parent.parent / ".venv" / "lib"
    return any(site_packages.glob("python3*/site-packages/nvidia/cu13/lib/libnvrtc.so.13"))


def has_nccl():
    site_packages = Path(__file__).resolve().parent.parent / ".venv" / "lib"
    return any(site_packages.glob("python3*/site-packages/nvidia/nccl/lib/libnccl.so.2"))


def has_bf16():
    return "avx512_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8").split()


def held_below(level):
    """Whether FLOWQAT_TARGET keeps the whole run under what the processor has."""
    levels, held = list(INSTRUCTIONS), os.environ.get("FLOWQAT_TARGET")
    return held in levels and levels.index(held) < levels.index(level)


# Reasons that may be given, and when they are true. Whatever the set-up installs (transformers, flac, sox) is not
# among them: without it a test has not been run that should have been.
REASONS = (
    (r"this processor does not reach (\w+)", lambda found: not reaches(found[1])),
    (r"this processor has no AVX-512 BF16", lambda _: not has_bf16() or os.environ.get("FLOWQAT_TARGET")),
    (r"no x86-64 processor", lambda _: platform.machine() != "x86_64"),
    (r"no FLOWQAT_TEST_DATA", lambda _: not os.environ.get("FLOWQAT_TEST_DATA")),
    (r"a GPU is here, .*", lambda _: has_gpu()),
    (r"no GPU", lambda _: not has_gpu()),
    (r"no compiler for GPUs", lambda _: not has_gpu_compiler()),
    (r"no NCCL in \.venv", lambda _: not has_nccl()),
    (r"only root may mount .*", lambda _: os.geteuid() != 0),
    (r"no small file system can be mounted here", lambda _: not may_mount()),
)


def is_true(reason):
    for pattern, holds in REASONS:
        found = re.fullmatch(pattern, reason)
        if found:
            return holds(found)
    return False


def read_report(path):
    """(tests that ran, failed tests, {skipped test: its reasons})"""
    ran, failed, skipped = 0, [], {}
    for test in xml.parse(path).getroot().iter("testcase"):
        if test.get("status") == "disabled":
            skipped[test.get("name")] = ["disabled"]
        elif test.find("skipped") is not None:
            said = re.findall(r"^\s*skipped: (.*?)\s*$", test.findtext("system-out") or "", re.M)
            skipped[test.get("name")] = list(dict.fromkeys(said)) or ["no reason given"]
        else:
            ran += 1
            if test.find("failure") is not None:
                failed.append(test.get("name"))
    return ran, failed, skipped


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    ran, failed, skipped = read_report(sys.argv[1])
    print(f"tests: {ran} run, {len(failed)} failed, {len(skipped)} skipped (in part or whole)")
    by_reason = defaultdict(list)
    for name, reasons in skipped.items():
        for reason in reasons:
            by_reason[reason].append(name)
    wrong = 0
    for reason, names in sorted(by_reason.items()):
        allowed = is_true(reason)
        wrong += not allowed
        print(f"  {len(names)} skipped: {reason}{'' if allowed else '   <- should not have been skipped here'}")
        for name in names if not allowed else names[:3]:
            print(f"      {name}")
        if allowed and len(names) > 3:
            print(f"      and {len(names) - 3} more")
    held = os.environ.get("FLOWQAT_TARGET")
    reached = [level for level in INSTRUCTIONS if reaches(level) and not held_below(level)]
    missed = [level for level in INSTRUCTIONS if level not in reached]
    print(f"levels of instructions: reached {', '.join(reached)}; not reached {', '.join(missed) or 'none'}"
          + (f" (held to {held})" if held else ""))
    if wrong:
        print("tests: failed: what is marked above could have been run here. What to do: scripts/setup.sh --tests, "
              "then look why the test does not find what it needs")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Runs the fuzz targets, some at a time.

    cmake --preset fuzz && cmake --build --preset fuzz --target fuzzers
    tests/fuzz/run.py [--seconds 60 | --inputs 10000000] [--jobs 2] [TARGET...]

Inputs begin with what make_seeds.py makes; what leads further is kept in build-fuzz/corpus/TARGET, from where the next
run goes on. An input that ends a target is a finding: it lies in build-fuzz/findings/TARGET, and is given to the program
again with build-fuzz/fuzz_TARGET FILE. It becomes a test beside its fix.

Each target is held to memory (of the process, and of one allocation) and to a time an input, so that what asks for more
than its bytes can stand for is a finding too.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PER_INPUT_S = 20
# FFmpeg's decoders take what a header asks for up to their own limits.
MEMORY_MB = {"audio": (3072, 1500)}
LONGEST = {"audio": 8192, "shard": 16384, "archive": 16384}


def programs(build, wanted):
    found = {path.name.removeprefix("fuzz_"): path for path in build.glob("fuzz_*") if os.access(path, os.X_OK)}
    unknown = sorted(set(wanted) - set(found))
    if unknown or not found:
        sys.exit(f"fuzz: there is no target {', '.join(unknown)}; there are: {', '.join(sorted(found)) or 'none'}")
    return {name: found[name] for name in (wanted or sorted(found))}


def fuzz(name, program, build, arguments):
    corpus, findings = build / "corpus" / name, build / "findings" / name
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    process_mb, allocation_mb = MEMORY_MB.get(name, (2048, 512))
    limit = [f"-runs={arguments.inputs}"] if arguments.inputs else [f"-max_total_time={arguments.seconds}"]
    command = [
        str(program), str(corpus), str(build / "seeds" / name), *limit, f"-timeout={PER_INPUT_S}",
        f"-rss_limit_mb={process_mb}", f"-malloc_limit_mb={allocation_mb}", f"-max_len={LONGEST.get(name, 4096)}",
        f"-artifact_prefix={findings}/", "-print_final_stats=1", "-verbosity=0", "-use_value_profile=1",
    ]  # fmt: skip
    leaks = f"suppressions={ROOT}/scripts/leaks.supp:print_suppressions=0"
    environment = {**os.environ, "LSAN_OPTIONS": leaks, "UBSAN_OPTIONS": "print_stacktrace=1"}
    began = time.monotonic()
    log = build / "findings" / f"{name}.log"
    with log.open("wb") as out:
        status = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, env=environment, check=False).returncode
    text = log.read_text(errors="replace")
    inputs = re.findall(r"stat::number_of_executed_units:\s*(\d+)", text)
    print(f"  {name:14} {int(inputs[-1]) if inputs else 0:>12,} inputs {time.monotonic() - began:6.0f} s"
          f"{'' if status == 0 else '   FINDING'}", flush=True)  # fmt: skip
    if status != 0:
        print("\n".join(text.splitlines()[-60:]), flush=True)
    return status == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--build", type=Path, default=ROOT / "build-fuzz")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--inputs", type=int, default=0, help="for each target, instead of a time")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    chosen = programs(build, arguments.targets)
    subprocess.run([sys.executable, str(ROOT / "tests/fuzz/make_seeds.py"), str(build / "seeds")], check=True)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        sound = list(pool.map(lambda item: fuzz(*item, build, arguments), chosen.items()))
    sys.exit(0 if all(sound) else 1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Runs a command held to the instructions of an older processor: our own kernels and LibTorch's.

    scripts/at_level.py LEVEL COMMAND...     LEVEL: a name that FLOWQAT_TARGET takes

For instance the whole second command as a processor without AVX-512 would run it:

    scripts/at_level.py avx2 scripts/test.sh

Says "skipped: ..." and ends with status 77 where this processor does not reach the level.
"""

import os
import sys

SKIPPED = 77

AVX2 = {"avx2", "fma", "bmi1", "bmi2", "abm", "f16c"}
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
AVX512_VNNI = AVX512 | {"avx512_vnni"}
AVX512_VBMI = AVX512_VNNI | {"avx512vbmi"}

# What a processor must have for a target (base/simd/target.h), as /proc/cpuinfo calls it.
INSTRUCTIONS = {
    "scalar": set(),
    "avx2": AVX2,
    "avx_vnni": AVX2 | {"avx_vnni"},
    "avx512": AVX512,
    "avx512_vnni": AVX512_VNNI,
    "avx512_vbmi": AVX512_VBMI,
    "amx": AVX512_VBMI | {"amx_tile", "amx_int8"},
    "neon": {"asimd"},
    "neon_dotprod": {"asimd", "asimddp"},
    "neon_i8mm": {"asimd", "asimddp", "i8mm"},
}

# FLOWQAT_TARGET is ours; the others are what ATen, oneDNN, MKL and FBGEMM obey. The last two know nothing below
# AVX2; a target that is not here leaves them as they are.
LIMITS = {
    "scalar": ("default", "SSE41", "AVX2", "AVX2"),
    "avx2": ("avx2", "AVX2", "AVX2", "AVX2"),
    "avx_vnni": ("avx2", "AVX2_VNNI", "AVX2", "AVX2"),
    "avx512": ("avx512", "AVX512_CORE", "AVX512", "AVX512"),
    "avx512_vnni": ("avx512", "AVX512_CORE_VNNI", "AVX512_E1", "AVX512_E1"),
    "avx512_vbmi": ("avx512", "AVX512_CORE_VNNI", "AVX512_E1", "AVX512_E1"),
}
VARIABLES = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "FBGEMM_ENABLE_INSTRUCTIONS")


def environment_of(level):
    return {"FLOWQAT_TARGET": level, **dict(zip(VARIABLES, LIMITS.get(level, ())))}


def processor_flags():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith(("flags", "Features")):
                return set(line.partition(":")[2].split())
    return set()


def reaches(level):
    return INSTRUCTIONS[level] <= processor_flags()


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in INSTRUCTIONS:
        sys.exit(__doc__)
    level, command = sys.argv[1], sys.argv[2:]
    if not reaches(level):
        print(f"skipped: this processor does not reach {level}")
        sys.exit(SKIPPED)
    os.execvpe(command[0], command, {**os.environ, **environment_of(level)})


if __name__ == "__main__":
    main()

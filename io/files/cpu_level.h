/// How far this room's kernels, and those of the nodes, may go with the processor's instructions.
#pragma once
#include <string>

namespace flowqat::io {

/// Each level has the instructions of those before it. avx2 stands for AVX2, FMA, BMI2 and LZCNT
/// (x86-64-v3: 2013 and later), avx512 for AVX-512 F, BW, CD, DQ and VL (x86-64-v4), avx512_vnni
/// for VNNI and VBMI besides.
enum class CpuLevel { scalar, avx2, avx512, avx512_vnni };

/// What the processor has, or less where the environment variable FLOWQAT_TARGET names a lower
/// level: so that one machine can test what others will run. Throws io::Error where it names none.
CpuLevel cpu_level();
/// "scalar", "avx2", "avx512" or "avx512_vnni".
std::string name_of(CpuLevel level);

}  // namespace flowqat::io

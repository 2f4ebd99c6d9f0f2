/// The instructions of the fastest integer kernels, and who may run them.
#pragma once

#include <cstdint>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#if !defined(__clang__) && __GNUC__ < 13
// Takes its own header's undefined registers for mistakes of whoever calls (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#define FLOWQAT_HAS_VNNI_CODE 1
/// Before a function: compiles it for processors on which has_vnni() holds. Lambdas inside it are
/// not, and must not use the instructions.
#define FLOWQAT_VNNI     \
  __attribute__((target( \
      "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,fma,prefer-vector-width=512")))
#else
#define FLOWQAT_HAS_VNNI_CODE 0
#define FLOWQAT_VNNI
#endif

namespace flowqat::model {

/// Whether this processor adds four products of unsigned by signed bytes to 32 bits in one
/// instruction, without saturating on the way (AVX-512 VNNI), and looks bytes up in registers
/// (VBMI), and FLOWQAT_TARGET does not forbid it (model/cpu_level.h).
bool has_vnni();

/// Throws std::logic_error: `function` was called where has_vnni() does not hold, in a build that
/// has no code for it.
[[noreturn]] void refuse_without_vnni(const char* function);

}  // namespace flowqat::model

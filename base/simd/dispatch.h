/// From Highway's one namespace a compiled instruction set to a choice of this program's own: at
/// run time, for any target, without Highway's global one. Include it behind hwy/highway.h, in a
/// file that foreach_target.h reads once for each of the sets.
#pragma once
#include "base/simd/target.h"

#if HWY_TARGETS & HWY_AVX2
#define FLOWQAT_CASE_AVX2(name) \
  case Simd::avx2:              \
    return N_AVX2::name;
#else
#define FLOWQAT_CASE_AVX2(name)
#endif
#if HWY_TARGETS & HWY_AVX3
#define FLOWQAT_CASE_AVX512(name) \
  case Simd::avx512:              \
    return N_AVX3::name;
#else
#define FLOWQAT_CASE_AVX512(name)
#endif
#if HWY_TARGETS & HWY_NEON
#define FLOWQAT_CASE_NEON(name) \
  case Simd::neon:              \
    return N_NEON::name;
#else
#define FLOWQAT_CASE_NEON(name)
#endif
// The widest that is always there: plain C++, or on ARM NEON.
#if HWY_TARGETS & HWY_SCALAR
#define FLOWQAT_ELSE(name) return N_SCALAR::name;
#else
#define FLOWQAT_ELSE(name) return HWY_STATIC_DISPATCH(name);
#endif

/// The body of a function of `simd` that returns what `name` stands for in the set's namespace.
#define FLOWQAT_RETURN_FOR(simd, name)                                             \
  switch (simd) {                                                                  \
    FLOWQAT_CASE_AVX2(name)                                                        \
    FLOWQAT_CASE_AVX512(name) FLOWQAT_CASE_NEON(name) default : FLOWQAT_ELSE(name) \
  }

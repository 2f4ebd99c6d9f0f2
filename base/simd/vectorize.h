/// Loops in plain C++, compiled for several instruction sets by GCC and by clang; on ARM, whose
/// every 64-bit processor has NEON, once.
#pragma once
#include "base/simd/target.h"

/// Before a function that becomes part of each one that calls it, compiled for the same
/// instructions.
#define FLOWQAT_INLINE inline __attribute__((always_inline))

namespace flowqat {

#if defined(__x86_64__)
template <auto loop, class... Arguments>
__attribute__((target("arch=x86-64-v4"))) auto run_in_avx512(const Arguments&... arguments) {
  return loop(arguments...);
}

template <auto loop, class... Arguments>
__attribute__((target("arch=x86-64-v3"))) auto run_in_avx2(const Arguments&... arguments) {
  return loop(arguments...);
}
#endif

/// Calls `loop`, a FLOWQAT_INLINE function, in the widest instructions that `simd` has. The result
/// is the same for all sets where no float sum changes its order, and the file is compiled with
/// -ffp-contract=off: else the wide ones round a product and a sum once.
template <auto loop, class... Arguments>
auto vectorized_for([[maybe_unused]] Simd simd, const Arguments&... arguments) {
#if defined(__x86_64__)
  if (simd == Simd::avx512) return run_in_avx512<loop>(arguments...);
  if (simd == Simd::avx2) return run_in_avx2<loop>(arguments...);
#endif
  return loop(arguments...);
}

/// For the target that the process uses.
template <auto loop, class... Arguments>
auto vectorized(const Arguments&... arguments) {
  static const Simd simd = simd_of(best_target());
  return vectorized_for<loop>(simd, arguments...);
}

}  // namespace flowqat

/// Loops in plain C++, compiled for several instruction sets.
#pragma once

#include "model/cpu_level.h"

/// Before a function that becomes part of each one that calls it, compiled for the same
/// instructions.
#define FLOWQAT_INLINE inline __attribute__((always_inline))

namespace flowqat::model {

#if defined(__x86_64__) && defined(__GNUC__)
template <auto loop, class... Arguments>
__attribute__((target("arch=x86-64-v4"))) void run_in_avx512(const Arguments&... arguments) {
  loop(arguments...);
}

template <auto loop, class... Arguments>
__attribute__((target("arch=x86-64-v3"))) void run_in_avx2(const Arguments&... arguments) {
  loop(arguments...);
}
#endif

/// Calls `loop`, a FLOWQAT_INLINE function, in the widest instructions that cpu_level() allows.
template <auto loop, class... Arguments>
void vectorized(const Arguments&... arguments) {
#if defined(__x86_64__) && defined(__GNUC__)
  if (cpu_level() >= CpuLevel::avx512) return run_in_avx512<loop>(arguments...);
  if (cpu_level() >= CpuLevel::avx2) return run_in_avx2<loop>(arguments...);
#endif
  loop(arguments...);
}

}  // namespace flowqat::model

#include "io/files/cpu_level.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "io/files/error.h"

namespace flowqat::io {
namespace {

// model/cpu_level.cpp is the same for the other side of the wall: change both.
constexpr std::array kNames = {"scalar", "avx2", "avx512", "avx512_vnni"};

#if defined(__x86_64__)
bool has_lzcnt() {  // clang 14's __builtin_cpu_supports() does not know it
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(0x80000001, &a, &b, &c, &d) != 0 && (c & bit_LZCNT) != 0;
}
#endif

CpuLevel level_of_processor() {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2") || !has_lzcnt()) {
    return CpuLevel::scalar;
  }
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512cd") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512vl")) {
    return CpuLevel::avx2;
  }
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi")) {
    return CpuLevel::avx512_vnni;
  }
  return CpuLevel::avx512;
#else
  return CpuLevel::scalar;
#endif
}

CpuLevel allowed_level() {
  const char* wanted = std::getenv("FLOWQAT_TARGET");
  if (wanted == nullptr || *wanted == '\0') return level_of_processor();
  const auto* const name = std::find(kNames.begin(), kNames.end(), std::string(wanted));
  if (name == kNames.end()) {
    throw Error(std::string("FLOWQAT_TARGET: expected scalar, avx2, avx512 or avx512_vnni, found "
                            "\"") +
                wanted + "\"");
  }
  return std::min(static_cast<CpuLevel>(name - kNames.begin()), level_of_processor());
}

}  // namespace

CpuLevel cpu_level() {
  static const CpuLevel level = allowed_level();
  return level;
}

std::string name_of(CpuLevel level) { return kNames.at(static_cast<size_t>(level)); }

}  // namespace flowqat::io

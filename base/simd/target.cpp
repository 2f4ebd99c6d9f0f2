#include "base/simd/target.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace flowqat {
namespace {

constexpr std::array<std::string_view, 10> kNames = {
    "scalar",      "avx2", "avx_vnni", "avx512",       "avx512_vnni",
    "avx512_vbmi", "amx",  "neon",     "neon_dotprod", "neon_i8mm"};

#if defined(__x86_64__)

/// A bit of what the processor tells of itself (Intel's manual, volume 2, CPUID).
struct CpuidBit {
  unsigned leaf, subleaf;
  char in;  ///< a, b, c or d: the register
  int bit;
};

bool has(const CpuidBit& wanted) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(wanted.leaf, wanted.subleaf, &a, &b, &c, &d) == 0) return false;
  const unsigned found = wanted.in == 'a' ? a : wanted.in == 'b' ? b : wanted.in == 'c' ? c : d;
  return ((found >> wanted.bit) & 1u) != 0;
}

/// Neither compiler's __builtin_cpu_supports() knows these in all versions that build this.
constexpr CpuidBit kLzcnt{0x80000001, 0, 'c', 5};
constexpr CpuidBit kF16c{1, 0, 'c', 29};
constexpr CpuidBit kAvxVnni{7, 1, 'a', 4};
constexpr CpuidBit kAvx512Bf16{7, 1, 'a', 5};
constexpr CpuidBit kAmxTile{7, 0, 'd', 24};
constexpr CpuidBit kAmxInt8{7, 0, 'd', 25};

bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && has(kLzcnt) &&
         has(kF16c);
}

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}

bool has_vnni() { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }
bool has_vbmi() { return has_vnni() && __builtin_cpu_supports("avx512vbmi"); }

/// The operating system must be asked for the tiles' 8 kB of state, once a process (Linux,
/// Documentation/arch/x86/xstate.rst).
bool has_amx() {
  constexpr long arch_request_state_permission = 0x1023, state_of_tiles = 18;
  return has_vbmi() && has(kAmxTile) && has(kAmxInt8) &&
         ::syscall(SYS_arch_prctl, arch_request_state_permission, state_of_tiles) == 0;
}

bool processor_has_bf16() { return has_avx512() && has(kAvx512Bf16); }

bool processor_has(Target target) {
  switch (target) {
    case Target::scalar:
      return true;
    case Target::avx2:
      return has_avx2();
    case Target::avx_vnni:
      return has_avx2() && has(kAvxVnni);
    case Target::avx512:
      return has_avx512();
    case Target::avx512_vnni:
      return has_vnni();
    case Target::avx512_vbmi:
      return has_vbmi();
    case Target::amx:
      return has_amx();
    default:
      return false;
  }
}

#elif defined(__aarch64__)

bool processor_has(Target target) {
  switch (target) {
    case Target::scalar:
    case Target::neon:
      return true;
    case Target::neon_dotprod:
      return (::getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
    case Target::neon_i8mm:
      return (::getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0 &&
             (::getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0;
    default:
      return false;
  }
}

#else

bool processor_has(Target target) { return target == Target::scalar; }

#endif

#if !defined(__x86_64__)
bool processor_has_bf16() { return false; }
#endif

std::vector<Target> find_targets() {
  std::vector<Target> found;
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (processor_has(static_cast<Target>(i))) found.push_back(static_cast<Target>(i));
  }
  return found;
}

Target find_best() {
  const std::span<const Target> here = targets_here();
  const char* const wanted = std::getenv("FLOWQAT_TARGET");
  if (wanted == nullptr || *wanted == '\0') return here.back();
  const std::optional<Target> limit = target_of(wanted);
  if (!limit) {
    throw std::runtime_error("FLOWQAT_TARGET: expected " + target_names() + ", found \"" + wanted +
                             "\"");
  }
  const auto behind = std::upper_bound(here.begin(), here.end(), *limit);
  return behind == here.begin() ? Target::scalar : *(behind - 1);
}

}  // namespace

std::string_view name_of(Target target) { return kNames.at(static_cast<size_t>(target)); }

std::optional<Target> target_of(std::string_view name) {
  const auto* const found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Target>(found - kNames.begin());
}

std::span<const Target> all_targets() {
  static const std::vector<Target> all = [] {
    std::vector<Target> targets;
    for (size_t i = 0; i < kNames.size(); ++i) targets.push_back(static_cast<Target>(i));
    return targets;
  }();
  return all;
}

std::string target_names() {
  std::string names(kNames[0]);
  for (size_t i = 1; i < kNames.size(); ++i) {
    names += i + 1 < kNames.size() ? ", " : " or ";
    names += kNames[i];
  }
  return names;
}

std::span<const Target> targets_here() {
  static const std::vector<Target> found = find_targets();
  return found;
}

bool runs_here(Target target) {
  const std::span<const Target> here = targets_here();
  return std::find(here.begin(), here.end(), target) != here.end();
}

Target best_target() {
  static const Target best = find_best();
  return best;
}

bool has_bf16() {
  static const bool has = simd_of(best_target()) == Simd::avx512 && processor_has_bf16();
  return has;
}

Simd simd_of(Target target) {
  if (target >= Target::neon) return Simd::neon;
  if (target >= Target::avx512) return Simd::avx512;
  return target >= Target::avx2 ? Simd::avx2 : Simd::scalar;
}

std::string_view name_of(Simd simd) {
  switch (simd) {
    case Simd::avx2:
      return "avx2";
    case Simd::avx512:
      return "avx512";
    case Simd::neon:
      return "neon";
    default:
      return "scalar";
  }
}

std::vector<Simd> simds_here() {
  std::vector<Simd> found;
  for (const Target target : targets_here()) {
    if (found.empty() || found.back() != simd_of(target)) found.push_back(simd_of(target));
  }
  return found;
}

}  // namespace flowqat

/// Which instructions the program's own kernels use: one target a process and a processor, chosen
/// at run time. Everything that depends on the processor asks here, so that one machine can test
/// what others will run.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flowqat {

/// From the slowest to the fastest of each architecture. A target of x86 has the instructions of
/// those before it, but for avx_vnni, which stands aside of AVX-512.
enum class Target {
  scalar,        ///< plain C++
  avx2,          ///< AVX2, FMA, BMI2, LZCNT, F16C (x86-64-v3: Haswell, Zen)
  avx_vnni,      ///< and products of bytes in 256 bits (Alder Lake)
  avx512,        ///< AVX-512 F, BW, CD, DQ, VL (x86-64-v4: Skylake-X)
  avx512_vnni,   ///< and products of bytes (Cascade Lake)
  avx512_vbmi,   ///< and bytes looked up in registers (Ice Lake, Zen 4)
  amx,           ///< and tiles of bytes (Sapphire Rapids)
  neon,          ///< every 64-bit ARM
  neon_dotprod,  ///< and dot products of bytes (Cortex-A76, Apple M1)
  neon_i8mm,     ///< and those of unsigned by signed bytes (Neoverse V1, Apple M2)
};

/// "scalar", "avx2" and so on, as the enumeration spells them.
std::string_view name_of(Target target);
/// Nothing for any other name.
std::optional<Target> target_of(std::string_view name);
std::span<const Target> all_targets();
/// The names of all targets, as a message lists them.
std::string target_names();

/// Whether this processor, under this operating system, has all of the target's instructions, and
/// this build the code.
bool runs_here(Target target);
/// Every target that runs here, from the slowest to the fastest.
std::span<const Target> targets_here();

/// The fastest that runs here; or where the environment variable FLOWQAT_TARGET names another, that
/// one, or the fastest before it that runs here. Throws std::runtime_error where the variable names
/// none.
Target best_target();

/// Whether best_target() has AVX-512 and the processor products of bfloat16 numbers (Cooper Lake,
/// Sapphire Rapids, Zen 4), which are no target of their own: they serve training alone.
bool has_bf16();

/// The instructions that passes over floats and bytes are compiled for: those of the products of
/// bytes make no difference to them.
enum class Simd { scalar, avx2, avx512, neon };
Simd simd_of(Target target);
/// "scalar", "avx2", "avx512" or "neon".
std::string_view name_of(Simd simd);
/// Every set that runs here, from the narrowest to the widest.
std::vector<Simd> simds_here();

}  // namespace flowqat

/// The inner loop of the polyphase resampler, once for each instruction set.
#pragma once
#include <cstddef>
#include <vector>

namespace flowqat::io {

/// x86 from 2013 on has AVX2 and FMA; servers from 2017 on mostly AVX-512. On an older x86 the
/// scalar set calls the C library for every fused multiply-add: right, but slower than soxr.
enum class InstructionSet { scalar, avx2, avx512 };

/// What this processor can run, and cpu_level() allows, the slowest first; scalar is always there.
std::vector<InstructionSet> instruction_sets();
InstructionSet best_instruction_set();
/// "scalar", "avx2" or "avx512".
const char* name_of(InstructionSet set);

/// Outputs that are computed side by side, and rows that share each load of coefficients.
inline constexpr ptrdiff_t kLanes = 16;
inline constexpr ptrdiff_t kRows = 8;

/// out[row][lane] = sum over tap of in[row][tap] * coefficients[tap][lane].
struct BandProduct {
  const float* coefficients;  ///< [taps, kLanes]
  ptrdiff_t taps;
  const float* in;
  ptrdiff_t in_stride;  ///< from one row's first sample to the next row's
  float* out;
  ptrdiff_t out_stride;
};

/// Computes kRows rows, or one. Every sum is a chain of fused multiply-adds in the order of the
/// taps, so all instruction sets give the same bits.
void multiply(InstructionSet set, const BandProduct& product, bool one_row);

}  // namespace flowqat::io

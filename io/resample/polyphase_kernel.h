/// The inner loop of the polyphase resampler, once for each set of instructions.
#pragma once
#include <cstddef>

#include "base/simd/target.h"

namespace flowqat::io {

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
/// taps, so all sets give the same bits. Plain code on x86 calls the C library for each of them:
/// right, but slower than soxr.
void multiply(Simd simd, const BandProduct& product, bool one_row);

}  // namespace flowqat::io

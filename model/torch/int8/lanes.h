/// What the loops over sixteen values at a time share.
#pragma once
#include "model/torch/int8/cpu_features.h"

#if FLOWQAT_HAS_VNNI_CODE
namespace flowqat::model {

constexpr int64_t lanes = 16;  ///< values of 32 bits in a register

/// Those of the lanes that `count` values fill.
FLOWQAT_VNNI inline __mmask16 lanes_left(int64_t count) {
  return count >= lanes ? 0xffff : static_cast<__mmask16>((1u << count) - 1);
}

/// The grid of an activation in bytes.
struct ByteGrid {
  __m512 most;   ///< steps above zero
  __m512i zero;  ///< the zero point
};

FLOWQAT_VNNI inline ByteGrid byte_grid(int32_t zero_point) {
  return {_mm512_set1_ps(static_cast<float>(255 - zero_point)), _mm512_set1_epi32(zero_point)};
}

/// round(steps) + zero_point, clamped to 0..255, as 32 bits a lane.
FLOWQAT_VNNI inline __m512i to_bytes(__m512 steps, const ByteGrid& grid) {
  const __m512i rounded = _mm512_cvtps_epi32(_mm512_min_ps(steps, grid.most));
  return _mm512_max_epi32(_mm512_add_epi32(rounded, grid.zero), _mm512_setzero_si512());
}

}  // namespace flowqat::model
#endif

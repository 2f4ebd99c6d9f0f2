/// What stands between the integer products: passes over activations in bytes.
#pragma once
#include <cstdint>

#include "base/simd/target.h"
#include "runtime/kernels/grid.h"

namespace flowqat::runtime {

/// How the sums of a tile's columns become steps of the output's grid. Arrays of whole sixteens, of
/// which those behind the last column may hold anything.
struct Columns {
  const float* multiplier;           ///< steps a unit of a sum
  const float* offset;               ///< the bias in steps
  const int32_t* correction;         ///< what the zero points add to a sum
  const int32_t* weight_zero_point;  ///< null: all 0
  int64_t count;                     ///< columns that are stored
};

/// Where a product's bytes go: mapped by `bytes`, by `floats` [256], or as they are, to one of the
/// two arrays, whose lines are `stride` values apart.
struct ProductOutput {
  const ByteTable* byte_table = nullptr;
  const float* float_table = nullptr;
  uint8_t* bytes = nullptr;
  float* floats = nullptr;
  int64_t stride = 0;
};

struct BytePasses {
  /// `count` bytes as the operand of a tile; one of bytes needs none of this.
  void (*to_operand)(Operand operand, const uint8_t* x, int64_t count, void* y);
  /// q = round(x factor / scale) + zero point, clamped, as at::quantize_per_tensor rounds; `factor`
  /// [count], or null for none.
  void (*quantize)(const float* x, const float* factor, int64_t count, const ByteGrid& grid,
                   uint8_t* q);
  /// (q - zero_point) scale.
  void (*dequantize)(const uint8_t* q, int64_t count, const ByteGrid& grid, float* x);
  /// Adds each channel's values and squares: x [frames, channels], of at most 2^16 frames.
  void (*add_moments)(const uint8_t* x, int64_t frames, int64_t channels, uint32_t* sum,
                      uint32_t* square);
  /// The sum of each of `rows` rows of `depth` bytes, `stride` bytes apart.
  void (*row_sums)(const uint8_t* x, int64_t rows, int64_t stride, int64_t depth, int32_t* sums);
  /// Lines of sums, `sums_stride` apart, to steps of `grid`, and these to `y`. row_sums: null where
  /// no weight has a zero point.
  void (*requantize)(const int32_t* sums, int64_t rows, int64_t sums_stride, const Columns& columns,
                     const int32_t* row_sums, const ByteGrid& grid, const ProductOutput& y);
};

const BytePasses& byte_passes(Target target);

}  // namespace flowqat::runtime

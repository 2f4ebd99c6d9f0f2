/// Products of bfloat16 numbers, two at a time, summed in float32 (Intel's VDPBF16PS): twice as
/// many multiply-adds an instruction as float32 has. Matrices are packed before: two neighbours in
/// depth are a pair, and a panel holds each pair of some lines side by side.
#pragma once
#include <cstdint>

namespace flowqat::model {

/// Lines of a panel on either side of a product, and how many rows are multiplied at once.
constexpr int64_t kRowPanel = 48, kColumnPanel = 64, kTileRows = 6;

/// Whether the target of this process has the instructions; nothing below may be called without.
bool has_bf16_tile();

/// A matrix of float32: line i at depth k is values[i * line_stride + k * depth_stride], where one
/// of the strides is 1.
struct Bf16Source {
  const float* values;
  int64_t lines, depth, line_stride, depth_stride;
  /// Steps of a grid that the lines lie on, one for all or one each: what is packed is how many
  /// steps a value is, an integer that bfloat16 holds exactly up to 256. Null: the value, rounded.
  const float* steps = nullptr;
  bool step_a_line = false;
};

/// The panel of `width` lines from `first_line` on, pairs [first, last) of it, to
/// `to`[pair - first][width]; zeros where the matrix has no line or no depth.
void pack_bf16(const Bf16Source& from, int64_t first_line, int64_t width, int64_t first,
               int64_t last, uint32_t* to);

/// What becomes of the sums of `columns` columns: times `factor` and a column's own, and its bias.
struct Bf16Epilogue {
  float factor = 1;
  const float* factors = nullptr;  ///< [columns] or null
  const float* bias = nullptr;     ///< [columns] or null
};

/// sums[row][column] (+)= rows times columns, for up to kTileRows rows of a row panel, `a` pointing
/// to the first, and a column panel: in the order of the depth, whatever the sizes. `epilogue`,
/// behind the last depth, or null.
void multiply_bf16(const uint32_t* a, const uint32_t* b, int64_t pairs, float* sums, int64_t stride,
                   int64_t rows, int64_t columns, bool adds, const Bf16Epilogue* epilogue);

}  // namespace flowqat::model

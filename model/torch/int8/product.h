/// An int8 layer on the host's own integer instructions, whatever engine it was made for.
#pragma once
#include <cstdint>
#include <optional>

#include "model/torch/base/tensor.h"
#include "model/torch/int8/byte_passes.h"
#include "model/torch/int8/engine_kernel.h"

namespace flowqat::model {

/// The numbers of an Int8Kernel (scales, zero points, weights) through VNNI: exact 32-bit sums,
/// rescaled in float32 and rounded to the nearest even step of the output's grid, so that an output
/// is within one step of the engine's, and nearly always the same. Immutable and shared; several
/// threads may run it, and each run uses LibTorch's threads. Only where has_vnni().
///
/// Activations are uint8 with the channels innermost: a convolution is a product over windows, rows
/// of `depth` bytes that lie `stride` channels apart in memory and overlap.
class FastInt8 {
 public:
  /// Whether there is a product for such a layer: not where it has groups or padding.
  static bool runs(const Int8Geometry& geometry) {
    return geometry.groups == 1 && geometry.padding == 0;
  }
  FastInt8(const Int8Parameters& parameters, const Int8Geometry& geometry);

  /// From float to float, shapes as the float layer's: [..., in] or [rows, in, frames].
  at::Tensor run(const at::Tensor& x) const;

  /// Of one array of activations: y[row] = table[quantized product with row], or the product itself
  /// where `table` is null. x: `rows` rows of depth() bytes, `row_stride` bytes apart. y: [rows,
  /// out()].
  void multiply(const uint8_t* x, int64_t rows, int64_t row_stride, uint8_t* y,
                const ByteTable* table = nullptr) const;
  /// A convolution over x [rows, frames, in] or a linear map of x [..., in], uint8 and contiguous,
  /// to uint8 [rows, frames out, out] or [..., out].
  at::Tensor apply(const at::Tensor& x, const ByteTable* table = nullptr) const;

  const ActivationScale& input() const { return input_; }
  const ActivationScale& output() const { return output_; }
  int64_t depth() const { return depth_; }
  int64_t out() const { return out_; }

 private:
  struct Task;
  void multiply(const Task& task) const;

  std::optional<int64_t> stride_;  // in frames, of a convolution
  int64_t in_, out_, kernel_, depth_;
  ActivationScale input_, output_;
  at::Tensor packed_;             // int8: tiles of tile_columns columns
  at::Tensor multiplier_;         // float32 [out, padded]: steps of the output a unit of a sum
  at::Tensor offset_;             // float32 [out, padded]: the bias in steps of the output
  at::Tensor correction_;         // int32 [out, padded]: what the zero points add to a sum
  at::Tensor weight_zero_point_;  // int32 [out, padded]; undefined where all are 0
};

}  // namespace flowqat::model

#pragma once
#include <cstdint>

#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// The positional convolution in float32 for inference: its weight, norm folded, packed once. One
/// product a group over overlapping windows, so that neither the windows nor a transposed copy of
/// the frames are written down. Immutable; only where has_vnni().
class FastPositionalConv {
 public:
  /// weight [channels, channels / groups, kernel], bias [channels].
  FastPositionalConv(const at::Tensor& weight, const at::Tensor& bias, int64_t groups);
  /// x [rows, frames, channels], float32, padded with kernel / 2 zeros on both sides -> the same
  /// shape.
  at::Tensor run(const at::Tensor& x) const;

 private:
  int64_t groups_, width_, kernel_;  // width: channels of a group
  at::Tensor packed_;                // float32 [groups, column tiles, kernel * width, columns]
  at::Tensor bias_;                  // float32 [channels]
};

}  // namespace flowqat::model

#pragma once
#include <torch/torch.h>

#include <cstdint>

namespace flowqat::model {

/// The positional convolution in float32 for inference: its weight, norm folded, packed once. One
/// product a group over overlapping windows, so that neither the windows nor a transposed copy of
/// the frames are written down. Immutable; only where has_vnni().
class FastPositionalConv {
 public:
  /// weight [channels, channels / groups, kernel], bias [channels].
  FastPositionalConv(const torch::Tensor& weight, const torch::Tensor& bias, int64_t groups);
  /// x [rows, frames, channels], float32, padded with kernel / 2 zeros on both sides -> the same
  /// shape.
  torch::Tensor run(const torch::Tensor& x) const;

 private:
  int64_t groups_, width_, kernel_;  // width: channels of a group
  torch::Tensor packed_;             // float32 [groups, column tiles, kernel * width, columns]
  torch::Tensor bias_;               // float32 [channels]
};

}  // namespace flowqat::model

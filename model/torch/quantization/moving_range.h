#pragma once
#include <ATen/ops/where.h>

#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// One end of a range: r <- r + c (x - r), or x at first; the very operations of PyTorch's
/// fused_moving_avg_obs_fake_quant, for equal bits.
inline void move_towards(at::Tensor& range, const at::Tensor& seen, double constant) {
  range.copy_(at::where(range.isinf(), seen, range + (seen - range) * constant));
}

}  // namespace flowqat::model

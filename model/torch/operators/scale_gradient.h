#pragma once
#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// x itself; its gradient is multiplied by `scale` on the way back (fairseq's GradMultiply).
at::Tensor scale_gradient(const at::Tensor& x, double scale);

}  // namespace flowqat::model

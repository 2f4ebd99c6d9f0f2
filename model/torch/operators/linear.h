#pragma once
#include <torch/torch.h>

namespace flowqat::model {

/// at::linear, differentiable: x [..., in], weight [out, in], bias [out] or undefined -> [...,
/// out]. In float32 on the CPU forward and backward are oneDNN's products.
torch::Tensor apply_linear(const torch::Tensor& x, const torch::Tensor& weight,
                           const torch::Tensor& bias);

}  // namespace flowqat::model

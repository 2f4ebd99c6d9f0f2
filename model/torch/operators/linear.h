#pragma once
#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// at::linear, differentiable: x [..., in], weight [out, in], bias [out] or undefined -> [...,
/// out]. In float32 on the CPU forward and backward are oneDNN's products.
at::Tensor apply_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace flowqat::model

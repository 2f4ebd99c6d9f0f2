#pragma once
#include "model/torch/base/tensor.h"
#include "model/torch/operators/bf16_product.h"

namespace flowqat::model {

/// at::linear, differentiable: x [..., in], weight [out, in], bias [out] or undefined -> [...,
/// out]. In float32 on the CPU forward and backward are the products of cpu_matmul.h, elsewhere
/// those of device_product.h where these are chosen; `grids` are those of x and weight.
at::Tensor apply_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const Grids& grids = {});

}  // namespace flowqat::model

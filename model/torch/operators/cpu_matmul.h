#pragma once
#include <optional>

#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// Whether the operations below take these operands: both on the CPU in float32, and LibTorch has
/// oneDNN, whose float32 products are the fastest of its engines there.
bool has_cpu_matmul(const at::Tensor& x, const at::Tensor& weight);

/// x wᵀ + b, not differentiable: x [rows, in] and weight [out, in], which may be a transposed view.
at::Tensor cpu_matmul(const at::Tensor& x, const at::Tensor& weight,
                      const std::optional<at::Tensor>& bias = {});

/// yᵀ x, [out, in], of y [rows, out] and x [rows, in], both contiguous; also the sum of y's rows
/// where `sums` is given.
at::Tensor cpu_matmul_transposed(const at::Tensor& y, const at::Tensor& x,
                                 at::Tensor* sums = nullptr);

}  // namespace flowqat::model

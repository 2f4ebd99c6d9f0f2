#pragma once
#include <torch/torch.h>

#include <optional>

namespace flowqat::model {

/// Whether the operations below take these operands: both on the CPU in float32, and LibTorch has
/// oneDNN, whose float32 products are the fastest of its engines there.
bool has_cpu_matmul(const torch::Tensor& x, const torch::Tensor& weight);

/// x wᵀ + b, not differentiable: x [rows, in] and weight [out, in], which may be a transposed view.
torch::Tensor cpu_matmul(const torch::Tensor& x, const torch::Tensor& weight,
                         const std::optional<torch::Tensor>& bias = {});

/// yᵀ x, [out, in], of y [rows, out] and x [rows, in], both contiguous; also the sum of y's rows
/// where `sums` is given.
torch::Tensor cpu_matmul_transposed(const torch::Tensor& y, const torch::Tensor& x,
                                    torch::Tensor* sums = nullptr);

}  // namespace flowqat::model

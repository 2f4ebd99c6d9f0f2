#pragma once
#include <optional>

#include "model/torch/base/tensor.h"
#include "model/torch/operators/bf16_product.h"

namespace flowqat::model {

/// Whether the operations below take these operands: both on the CPU in float32, and LibTorch has
/// oneDNN, whose float32 products are the fastest of its engines there.
bool has_cpu_matmul(const at::Tensor& x, const at::Tensor& weight);

/// What the operations below multiply in, from here on: float32, or bfloat16 (bf16_product.h),
/// which needs has_bf16_tile().
enum class CpuProducts { float32, bf16 };
void use_cpu_products(CpuProducts products);
CpuProducts cpu_products();

/// x wᵀ + b, not differentiable: x [rows, in] and weight [out, in], which may be a transposed view.
/// `grids` are those of x and weight, for bfloat16.
at::Tensor cpu_matmul(const at::Tensor& x, const at::Tensor& weight,
                      const std::optional<at::Tensor>& bias = {}, const Grids& grids = {});

/// yᵀ x, [out, in], of y [rows, out] and x [rows, in], both contiguous; also the sum of y's rows
/// where `sums` is given.
at::Tensor cpu_matmul_transposed(const at::Tensor& y, const at::Tensor& x,
                                 at::Tensor* sums = nullptr);

}  // namespace flowqat::model

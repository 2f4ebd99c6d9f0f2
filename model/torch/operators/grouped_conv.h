#pragma once
#include <cstdint>

#include "model/torch/base/tensor.h"
#include "model/torch/operators/bf16_product.h"

namespace flowqat::model {

/// Whether grouped_conv() takes these operands: float32 on the CPU, where products are bfloat16.
bool has_grouped_conv(const at::Tensor& x, const at::Tensor& weight);

/// at::conv1d of stride 1, differentiable, in bfloat16: x [rows, channels, frames], weight [out,
/// channels / groups, kernel], bias [out] or undefined -> [rows, out, frames + 2 padding - kernel +
/// 1]. Each row's groups are matrix products over windows that overlap in memory; backward is
/// rounded as forward is, but on no grid.
at::Tensor grouped_conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        int64_t padding, int64_t groups, const Grids& grids = {});

}  // namespace flowqat::model

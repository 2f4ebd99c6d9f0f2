#pragma once
#include <cstdint>

#include "model/torch/base/tensor.h"
#include "model/torch/operators/bf16_product.h"

namespace flowqat::model {

/// Whether conv_frames() takes these operands.
bool has_conv_frames(const at::Tensor& x, const at::Tensor& weight);

/// at::conv1d without padding, differentiable, for float32 on the CPU: x [rows, channels, frames],
/// weight [out, channels, kernel], bias [out] or undefined -> [rows, out, frames].
///
/// One matrix product over the windows of x (Chellapilla et al. 2006, "High performance
/// convolutional neural networks for document processing"). The result's channels lie side by side
/// in memory; an x that lies so, as elementwise operations keep it, is read without a
/// transposition.
at::Tensor conv_frames(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       int64_t stride, const Grids& grids = {});

}  // namespace flowqat::model

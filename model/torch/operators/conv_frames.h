#pragma once
#include <torch/torch.h>

#include <cstdint>

namespace flowqat::model {

/// Whether conv_frames() takes these operands.
bool has_conv_frames(const torch::Tensor& x, const torch::Tensor& weight);

/// at::conv1d without padding, differentiable, for float32 on the CPU: x [rows, channels, frames],
/// weight [out, channels, kernel], bias [out] or undefined -> [rows, out, frames].
///
/// One matrix product over the windows of x (Chellapilla et al. 2006, "High performance
/// convolutional neural networks for document processing"). The result's channels lie side by side
/// in memory; an x that lies so, as elementwise operations keep it, is read without a
/// transposition.
torch::Tensor conv_frames(const torch::Tensor& x, const torch::Tensor& weight,
                          const torch::Tensor& bias, int64_t stride);

}  // namespace flowqat::model

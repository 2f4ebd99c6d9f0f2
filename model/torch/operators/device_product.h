#pragma once
#include <cstdint>
#include <optional>

#include "model/torch/base/tensor.h"
#include "model/torch/operators/bf16_product.h"

namespace flowqat::model {

/// What factors are rounded to before they are multiplied on any device but the CPU, from here on:
/// at::kBFloat16 or at::kHalf; null: they stay as they are, float32 or what the GPU makes of it.
void use_device_factors(std::optional<at::ScalarType> type);
std::optional<at::ScalarType> device_factors();

/// Whether the operations below take these operands: float32, on a device, with factors of 16 bits.
bool has_device_product(const at::Tensor& x, const at::Tensor& weight);

/// at::linear, differentiable: x [..., in], weight [out, in], bias [out] or undefined -> [...,
/// out], float32. Factors have 16 bits, sums are float32. Operands on grids are multiplied as the
/// integers that they stand for, which both types hold exactly (up to 256 and 2048); the gradient
/// is rounded.
at::Tensor device_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         const Grids& grids = {});

/// at::conv1d without padding in the same way: x [rows, channels, frames], weight [out, channels,
/// kernel], bias [out] or undefined -> [rows, out, frames]. One product over the windows of x, as
/// conv_frames() makes it: a convolution of LibTorch's would round its sums too.
at::Tensor device_conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       int64_t stride, const Grids& grids = {});

}  // namespace flowqat::model

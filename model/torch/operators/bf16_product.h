#pragma once
#include <optional>

#include "model/torch/base/tensor.h"
#include "model/torch/operators/bf16_tile.h"

namespace flowqat::model {

/// The steps of the grids that fake quantization has put both operands of a product on, float32 on
/// the CPU: the input's [1], the weight's [1] or [out]. Undefined where they are on none.
struct Grids {
  at::Tensor input_step, weight_step;

  /// What a sum of products of integers is multiplied by: one factor for all channels, and one each
  /// where the weight has a step a channel, else null.
  float factor() const;
  const float* factors() const;
  const float* input_steps() const;   ///< null where undefined
  const float* weight_steps() const;  ///< the same
  bool has_step_a_channel() const { return weight_step.defined() && weight_step.numel() > 1; }
};

/// a bᵀ + bias, [rows, columns], in float32, of a [rows, depth] and b [columns, depth], float32 on
/// the CPU with one axis of each side by side. The factors of each product are rounded to bfloat16
/// (8 bits, half to even), or on grids are its integers, which are exact; sums are float32, in the
/// same order at any number of threads. Not differentiable. Only where has_bf16_tile().
at::Tensor bf16_product(const at::Tensor& a, const at::Tensor& b,
                        const std::optional<at::Tensor>& bias = {}, const Grids& grids = {});

/// The same from and to memory of the caller's: to[row][column] of rows `stride` apart, where it is
/// added if `adds`, before what the epilogue does. Runs on several threads, or within a parallel
/// region on this one.
void bf16_product_into(float* to, int64_t stride, const Bf16Source& a, const Bf16Source& b,
                       const Bf16Epilogue& epilogue = {}, bool adds = false);

}  // namespace flowqat::model

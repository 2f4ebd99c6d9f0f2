#pragma once
#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// A group norm with a group a channel (arXiv:1803.08494), differentiable: every channel of every
/// row of x [rows, channels, frames] to mean 0 and variance 1 over time, then times weight plus
/// bias, both [channels].
///
/// at::group_norm, but for float32 on the CPU where the channels lie side by side in memory: they
/// stay so, which that operation would undo.
at::Tensor time_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                     double epsilon);

}  // namespace flowqat::model

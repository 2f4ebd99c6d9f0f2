#pragma once
#include <torch/torch.h>

namespace flowqat::model {

/// A group norm with a group a channel (arXiv:1803.08494), differentiable: every channel of every
/// row of x [rows, channels, frames] to mean 0 and variance 1 over time, then times weight plus
/// bias, both [channels].
///
/// at::group_norm, but for float32 on the CPU where the channels lie side by side in memory: they
/// stay so, which that operation would undo.
torch::Tensor time_norm(const torch::Tensor& x, const torch::Tensor& weight,
                        const torch::Tensor& bias, double epsilon);

}  // namespace flowqat::model

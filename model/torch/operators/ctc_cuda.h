#pragma once
#include <string>
#include <tuple>

#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// The text of ctc_kernels.h.
std::string ctc_kernel_source();

/// flowqat::ctc_loss on CUDA: losses [rows] and log_alpha. Launches two kernels of our own and
/// waits for nothing. Before their first use on a GPU they are compared with LibTorch's on a small
/// batch; where they cannot be had, or differ, LibTorch's are used.
std::tuple<at::Tensor, at::Tensor> ctc_loss_cuda(const at::Tensor& log_probs,
                                                 const at::Tensor& tokens,
                                                 const std::optional<at::Tensor>& frames_there,
                                                 const std::optional<at::Tensor>& lengths_there,
                                                 at::IntArrayRef frames, at::IntArrayRef lengths,
                                                 int64_t blank, bool zero_infinity);
/// flowqat::ctc_loss_backward: the gradient of log_probs, [frames, rows, vocabulary].
at::Tensor ctc_loss_backward_cuda(const at::Tensor& gradient, const at::Tensor& log_probs,
                                  const at::Tensor& tokens,
                                  const std::optional<at::Tensor>& frames_there,
                                  const std::optional<at::Tensor>& lengths_there,
                                  at::IntArrayRef frames, at::IntArrayRef lengths,
                                  const at::Tensor& losses, const at::Tensor& log_alpha,
                                  int64_t blank, bool zero_infinity);

/// Empty, or why a GPU's training waits for it in each step: why LibTorch's kernels are used there.
/// Tries them if need be.
std::string why_ctc_waits(const at::Device& device);

}  // namespace flowqat::model

#pragma once
#include <cstdint>
#include <vector>

#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// What each row of a batch holds, as the host knows it and as the device does.
struct CtcRows {
  at::Tensor tokens;                     ///< int64 [total], the rows' targets one behind the other
  std::vector<int64_t> frames, lengths;  ///< [rows] frames of speech, tokens of the target
  /// The same, int64 [rows] on the device; may be undefined on the CPU.
  at::Tensor frames_there, lengths_there;
};

/// The loss of connectionist temporal classification for each row (Graves et al., ICML 2006),
/// float32 [rows], infinite where a target does not fit its frames; its gradient is 0 there with
/// `zero_infinity`. log_probs: float32 [frames, rows, vocabulary]. Differentiable by log_probs.
///
/// The operators flowqat::ctc_loss and flowqat::ctc_loss_backward, which devices may bring kernels
/// for. On the CPU they are LibTorch's. On CUDA they are kernels of our own where those can be had,
/// as LibTorch's make the host wait for the device six times; see ctc_cuda.h.
at::Tensor ctc_losses(const at::Tensor& log_probs, const CtcRows& rows, int64_t blank,
                      bool zero_infinity);

}  // namespace flowqat::model

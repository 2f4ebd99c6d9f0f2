#pragma once
#include <c10/core/Device.h>

#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// What a loss is multiplied by before the way back, so that gradients are large enough for factors
/// in half precision, whose smallest normal number is 6.1e-5, and not too large (Micikevicius et
/// al. 2018, "Mixed precision training", arXiv:1710.03740, section 3.2). Moves as
/// torch.amp.GradScaler's scale: 65,536 at first, doubled after 2,000 updates in a row whose
/// gradient was finite, halved at one whose was not; but not below 1, where a gradient that is not
/// finite has its reason elsewhere. All powers of 2, which change no digit of a gradient. Lies on
/// the device, and waits for nothing.
class LossScaler {
 public:
  static constexpr double kFirst = 65536, kGrowth = 2, kBackoff = 0.5;
  static constexpr int64_t kInterval = 2000;

  explicit LossScaler(const c10::Device& device);

  /// [] float32.
  const at::Tensor& scale() const { return scale_; }
  /// Of updates in a row, [] int32.
  const at::Tensor& finite_updates() const { return finite_updates_; }
  /// Behind an update. `is_finite`: [] bool, of its gradient. -> [] bool: it was not, and the scale
  /// may have been the reason.
  at::Tensor follow(const at::Tensor& is_finite);

 private:
  at::Tensor scale_, finite_updates_;
};

}  // namespace flowqat::model

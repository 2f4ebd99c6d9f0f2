#include "model/torch/training/loss_scaler.h"

#include <ATen/ops/_amp_update_scale.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

namespace flowqat::model {

LossScaler::LossScaler(const c10::Device& device)
    : scale_(at::full({}, kFirst, at::TensorOptions(device).dtype(at::kFloat))),
      finite_updates_(at::zeros({}, at::TensorOptions(device).dtype(at::kInt))) {}

at::Tensor LossScaler::follow(const at::Tensor& is_finite) {
  const at::NoGradGuard no_grad;
  const at::Tensor endless = is_finite.logical_not();
  const at::Tensor overflowed = endless.logical_and(scale_ > 1);
  at::_amp_update_scale_(scale_, finite_updates_, endless.to(at::kFloat), kGrowth, kBackoff,
                         kInterval);
  scale_.clamp_min_(1);
  return overflowed;
}

}  // namespace flowqat::model

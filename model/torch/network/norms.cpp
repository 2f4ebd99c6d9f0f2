#include "model/torch/network/norms.h"

#include <ATen/ops/layer_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "model/torch/operators/time_norm.h"

namespace flowqat::model {

Norm::Norm(int64_t channels, double epsilon)
    : weight(register_parameter("weight", at::ones({channels}))),
      bias(register_parameter("bias", at::zeros({channels}))),
      epsilon_(epsilon) {}

void Norm::reset() {
  const at::NoGradGuard no_grad;
  weight.fill_(1);
  bias.zero_();
}

at::Tensor LayerNorm::forward(const at::Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, epsilon());
}

at::Tensor GroupNorm::forward(const at::Tensor& x) const {
  return time_norm(x, weight, bias, epsilon());
}

}  // namespace flowqat::model

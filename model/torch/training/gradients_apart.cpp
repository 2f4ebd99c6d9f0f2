#include "model/torch/training/gradients_apart.h"

#include <ATen/ops/_foreach_add.h>

#include <utility>

namespace flowqat::model {

GradientsApart::GradientsApart(std::vector<AdamW::Parameter> parameters,
                               std::vector<at::Tensor>& taught)
    : parameters_(std::move(parameters)),
      taught_(taught),
      taught_before_(std::exchange(taught, {})) {
  for (const AdamW::Parameter& parameter : parameters_) {
    before_.push_back(std::exchange(parameter.value.mutable_grad(), at::Tensor()));
  }
}

GradientsApart::~GradientsApart() {
  if (!before_.empty()) put_back();
}

void GradientsApart::put_back() {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    parameters_[i].value.mutable_grad() = std::move(before_[i]);
  }
  taught_ = std::move(taught_before_);
  before_.clear();
}

void GradientsApart::join() {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> sums, added;
  const auto add = [&](at::Tensor& before, const at::Tensor& since) {
    if (!since.defined()) return;
    if (!before.defined()) {
      before = since;
      return;
    }
    sums.push_back(before);
    added.push_back(since);
  };
  for (size_t i = 0; i < parameters_.size(); ++i) add(before_[i], parameters_[i].value.grad());
  if (taught_before_.empty()) {
    taught_before_ = taught_;
  } else {
    for (size_t i = 0; i < taught_.size(); ++i) add(taught_before_[i], taught_[i]);
  }
  if (!sums.empty()) at::_foreach_add_(sums, added);
  put_back();
}

}  // namespace flowqat::model

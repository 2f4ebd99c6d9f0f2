#include "model/torch/training/weight_average.h"

#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/_foreach_lerp.h>

#include "model/torch/base/state_dict.h"

namespace flowqat::model {
namespace {

constexpr const char* kEnd = ".average";

std::vector<at::Tensor> copies(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> copied;
  for (const at::Tensor& tensor : tensors) copied.push_back(tensor.clone());
  return copied;
}

}  // namespace

WeightAverage::WeightAverage(const std::vector<AdamW::Parameter>& parameters, double decay)
    : decay_(decay) {
  for (const AdamW::Parameter& parameter : parameters) {
    names_.push_back(parameter.name);
    values_.push_back(parameter.value.detach());
  }
  averages_ = copies(values_);
}

void WeightAverage::follow(const at::Tensor& skipped) {
  const at::NoGradGuard no_grad;
  const at::Tensor share = skipped.logical_not().to(at::kFloat) * (1 - decay_);
  at::_foreach_lerp_(averages_, values_, std::vector<at::Tensor>(values_.size(), share));
}

void WeightAverage::exchange() {
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> before = copies(values_);
  at::_foreach_copy_(values_, averages_);
  at::_foreach_copy_(averages_, before);
}

Tensors WeightAverage::state() const {
  Tensors tensors;
  for (size_t i = 0; i < names_.size(); ++i) {
    tensors.push_back(to_tensor(names_[i] + kEnd, averages_[i]));
  }
  return tensors;
}

void WeightAverage::load_state(const Tensors& state) {
  StateLoader loader("the weights' average");
  for (size_t i = 0; i < names_.size(); ++i) loader.expect(names_[i] + kEnd, averages_[i]);
  loader.load(state);
}

bool WeightAverage::is_part(const Tensor& tensor) { return tensor.name.ends_with(kEnd); }

}  // namespace flowqat::model

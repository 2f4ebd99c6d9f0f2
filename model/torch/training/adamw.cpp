#include "model/torch/training/adamw.h"

#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <map>
#include <utility>

#include "model/torch/base/state_dict.h"

namespace flowqat::model {

AdamW::AdamW(std::vector<Parameter> parameters, const TrainOptions& options) : options_(options) {
  for (Parameter& parameter : parameters) {
    const at::Tensor value = parameter.value.detach();
    slots_.push_back({std::move(parameter), at::zeros_like(value), at::zeros_like(value),
                      at::zeros({}, value.options())});
  }
}

at::Tensor AdamW::gradient_norm(const std::vector<at::Tensor>& gradients) const {
  if (gradients.empty()) return at::zeros({}, slots_.at(0).exp_avg.options());
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)), 2);
}

AdamW::Outcome AdamW::step(double learning_rate, double divisor, const at::Tensor& loss,
                           const std::function<void(const at::Tensor&)>& agree) {
  const at::NoGradGuard no_grad;
  struct Group {
    std::vector<at::Tensor> values, gradients, exp_avgs, exp_avg_sqs, steps;
  };
  std::vector<at::Tensor> gradients;
  std::map<std::pair<double, double>, Group> groups;  // by factor and weight decay
  for (Slot& slot : slots_) {
    at::Tensor& gradient = slot.parameter.value.mutable_grad();
    if (!gradient.defined()) continue;
    gradients.push_back(gradient);
    Group& group = groups[{slot.parameter.lr_factor, slot.parameter.weight_decay}];
    group.values.push_back(slot.parameter.value);
    group.gradients.push_back(gradient);
    group.exp_avgs.push_back(slot.exp_avg);
    group.exp_avg_sqs.push_back(slot.exp_avg_sq);
    group.steps.push_back(slot.step);
    gradient = at::Tensor();
  }
  const at::Tensor norm = gradient_norm(gradients) / divisor;
  if (agree) agree(norm);
  const at::Tensor skipped = norm.isfinite().logical_and(loss.isfinite()).logical_not();
  // The kernel divides gradients by its "grad_scale", so neither the mean nor clipping costs a pass
  // of its own, and does nothing where "found_inf" is 1: the device alone learns of either.
  std::optional<at::Tensor> scale;
  if (options_.clip_norm > 0) {
    scale = ((norm + 1e-6) / options_.clip_norm).clamp_min(1) * divisor;
  } else if (divisor != 1) {
    scale = at::full({}, divisor, norm.options());
  }
  const at::Tensor found = skipped.to(at::kFloat), counted = 1 - found;
  for (auto& [settings, group] : groups) {
    const auto& [lr_factor, weight_decay] = settings;
    at::_foreach_add_(group.steps, counted);
    at::_fused_adamw_(group.values, group.gradients, group.exp_avgs, group.exp_avg_sqs,
                      /*max_exp_avg_sqs=*/{}, group.steps, learning_rate * lr_factor,
                      options_.beta1, options_.beta2, weight_decay, options_.epsilon,
                      /*amsgrad=*/false, /*maximize=*/false, scale, found);
  }
  return {norm, skipped};
}

std::vector<AdamW::Parameter> AdamW::parameters() const {
  std::vector<Parameter> parameters;
  for (const Slot& slot : slots_) parameters.push_back(slot.parameter);
  return parameters;
}

Tensors AdamW::state() const {
  Tensors tensors;
  for (const Slot& slot : slots_) {
    const std::string& name = slot.parameter.name;
    tensors.push_back(to_tensor(name + ".exp_avg", slot.exp_avg));
    tensors.push_back(to_tensor(name + ".exp_avg_sq", slot.exp_avg_sq));
    tensors.push_back(to_tensor(name + ".step", slot.step.to(at::kLong).reshape({1})));
  }
  return tensors;
}

void AdamW::load_state(const Tensors& state) {
  StateLoader loader("optimizer state");
  for (const Slot& slot : slots_) {
    const std::string& name = slot.parameter.name;
    loader.expect(name + ".exp_avg", slot.exp_avg);
    loader.expect(name + ".exp_avg_sq", slot.exp_avg_sq);
    loader.expect(name + ".step", slot.step.view({1}), {"I64"});
  }
  loader.load(state);
}

}  // namespace flowqat::model

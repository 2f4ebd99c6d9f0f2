#include "model/torch/training/adamw.h"

#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <utility>

#include "model/torch/base/state_dict.h"

namespace flowqat::model {

AdamW::AdamW(std::vector<Parameter> parameters, const TrainOptions& options) : options_(options) {
  for (Parameter& parameter : parameters) {
    const at::Tensor value = parameter.value.detach();
    const bool decays = parameter.may_decay && (!options.decay_matrices_only || value.dim() > 1);
    slots_.push_back({std::move(parameter), at::zeros_like(value), at::zeros_like(value),
                      at::zeros({}, value.options()), decays ? options.weight_decay : 0});
  }
}

at::Tensor AdamW::gradient_norm(const std::vector<at::Tensor>& gradients) const {
  if (gradients.empty()) return at::zeros({}, slots_.at(0).exp_avg.options());
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)), 2);
}

at::Tensor AdamW::step(double learning_rate) {
  const at::NoGradGuard no_grad;
  struct Group {
    std::vector<at::Tensor> values, gradients, exp_avgs, exp_avg_sqs, steps;
  };
  std::vector<at::Tensor> gradients;
  Group groups[2];  // without and with weight decay
  for (Slot& slot : slots_) {
    at::Tensor& gradient = slot.parameter.value.mutable_grad();
    if (!gradient.defined()) continue;
    gradients.push_back(gradient);
    Group& group = groups[slot.weight_decay != 0];
    group.values.push_back(slot.parameter.value);
    group.gradients.push_back(gradient);
    group.exp_avgs.push_back(slot.exp_avg);
    group.exp_avg_sqs.push_back(slot.exp_avg_sq);
    group.steps.push_back(slot.step);
    gradient = at::Tensor();
  }
  const at::Tensor norm = gradient_norm(gradients);
  std::optional<at::Tensor> divisor;
  if (options_.clip_norm > 0) {
    // The kernel divides gradients by its "grad_scale": clipping costs no pass of its own, and the
    // device alone learns whether there is anything to clip.
    divisor = ((norm + 1e-6) / options_.clip_norm).clamp_min(1);
  }
  for (size_t decays : {0, 1}) {
    Group& group = groups[decays];
    if (group.values.empty()) continue;
    at::_foreach_add_(group.steps, 1);
    at::_fused_adamw_(group.values, group.gradients, group.exp_avgs, group.exp_avg_sqs,
                      /*max_exp_avg_sqs=*/{}, group.steps, learning_rate, options_.beta1,
                      options_.beta2, decays ? options_.weight_decay : 0, options_.epsilon,
                      /*amsgrad=*/false, /*maximize=*/false, divisor);
  }
  return norm;
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

#include "model/torch/training/adamw.h"

#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "model/torch/base/state_dict.h"

namespace flowqat::model {

namespace {

/// The rank of each parameter's owner: the largest first, each to whoever has the least.
std::vector<int> owners_of(const std::vector<AdamW::Parameter>& parameters, int ranks) {
  std::vector<size_t> order(parameters.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t one, size_t other) {
    return parameters[one].value.numel() > parameters[other].value.numel();
  });
  std::vector<int64_t> held(static_cast<size_t>(ranks), 0);
  std::vector<int> owners(parameters.size());
  for (const size_t parameter : order) {
    const auto least = std::ranges::min_element(held);
    *least += parameters[parameter].value.numel();
    owners[parameter] = static_cast<int>(least - held.begin());
  }
  return owners;
}

}  // namespace

AdamW::AdamW(std::vector<Parameter> parameters, const TrainOptions& options,
             std::shared_ptr<TorchGroup> group)
    : options_(options),
      group_(std::move(group)),
      is_sharded_(options.shard_optimizer && group_ != nullptr) {
  if (group_) rank_ = group_->rank().rank;
  const std::vector<int> owners = is_sharded_ ? owners_of(parameters, group_->rank().size)
                                              : std::vector<int>(parameters.size(), rank_);
  for (size_t i = 0; i < parameters.size(); ++i) {
    const at::Tensor value = parameters[i].value.detach();
    slots_.push_back({std::move(parameters[i]), owners[i], {}, {}, at::zeros({}, value.options())});
    if (!is_own(slots_.back())) continue;
    slots_.back().exp_avg = at::zeros_like(value);
    slots_.back().exp_avg_sq = at::zeros_like(value);
  }
}

at::Tensor AdamW::gradient_norm(const std::vector<at::Tensor>& gradients) const {
  if (gradients.empty()) return at::zeros({}, slots_.at(0).step.options());
  return at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients)), 2);
}

AdamW::Outcome AdamW::step(double learning_rate, double divisor, const at::Tensor& loss,
                           const at::Tensor& loss_scale) {
  const at::NoGradGuard no_grad;
  struct Group {
    std::vector<at::Tensor> values, gradients, exp_avgs, exp_avg_sqs, steps;
  };
  std::vector<at::Tensor> gradients;
  std::map<std::pair<double, double>, Group> groups;  // by factor and weight decay
  for (Slot& slot : slots_) {
    at::Tensor& gradient = slot.parameter.value.mutable_grad();
    if (!gradient.defined()) continue;
    gradients.push_back(std::exchange(gradient, at::Tensor()));
    if (!is_own(slot)) continue;
    Group& group = groups[{slot.parameter.lr_factor, slot.parameter.weight_decay}];
    group.values.push_back(slot.parameter.value);
    group.gradients.push_back(gradients.back());
    group.exp_avgs.push_back(slot.exp_avg);
    group.exp_avg_sqs.push_back(slot.exp_avg_sq);
    group.steps.push_back(slot.step);
  }
  at::Tensor norm = gradient_norm(gradients) / divisor;
  if (loss_scale.defined()) norm.div_(loss_scale);
  if (group_) {
    // Threads of another number may sum in another order, and weights would drift apart.
    group_->exchange("norm", [&] { group_->all_reduce(norm, TorchGroup::Reduction::largest); });
  }
  const at::Tensor skipped = norm.isfinite().logical_and(loss.isfinite()).logical_not();
  // The kernel divides gradients by its "grad_scale", so neither the mean nor clipping costs a pass
  // of its own, and does nothing where "found_inf" is 1: the device alone learns of either.
  std::optional<at::Tensor> scale;
  if (options_.clip_norm > 0) {
    scale = ((norm + 1e-6) / options_.clip_norm).clamp_min(1) * divisor;
  } else if (divisor != 1 || loss_scale.defined()) {
    scale = at::full({}, divisor, norm.options());
  }
  if (loss_scale.defined()) scale->mul_(loss_scale);
  const at::Tensor found = skipped.to(at::kFloat), counted = 1 - found;
  for (auto& [settings, group] : groups) {
    const auto& [lr_factor, weight_decay] = settings;
    at::_foreach_add_(group.steps, counted);
    at::_fused_adamw_(group.values, group.gradients, group.exp_avgs, group.exp_avg_sqs,
                      /*max_exp_avg_sqs=*/{}, group.steps, learning_rate * lr_factor,
                      options_.beta1, options_.beta2, weight_decay, options_.epsilon,
                      /*amsgrad=*/false, /*maximize=*/false, scale, found);
  }
  if (is_sharded_) hand_over();
  return {norm, skipped};
}

/// Every parameter from its owner, those of an owner at once.
void AdamW::hand_over() {
  for (int owner = 0; owner < group_->rank().size; ++owner) {
    std::vector<at::Tensor> values, flat;
    for (const Slot& slot : slots_) {
      if (slot.owner != owner) continue;
      values.push_back(slot.parameter.value.detach());
      flat.push_back(values.back().reshape({-1}));
    }
    if (values.empty()) continue;
    const at::Tensor all = at::cat(flat);
    group_->from(owner, "weights", all);
    if (owner == rank_) continue;
    int64_t at = 0;
    for (const at::Tensor& value : values) {
      value.copy_(all.slice(0, at, at + value.numel()).view(value.sizes()));
      at += value.numel();
    }
  }
}

at::Tensor AdamW::of_owner(const Slot& slot, const at::Tensor& own, at::IntArrayRef shape) const {
  if (!is_sharded_) return own;
  const at::Tensor value =
      is_own(slot) ? own.clone().contiguous() : at::empty(shape, slot.step.options());
  group_->from(slot.owner, "optimizer state", value);
  return value;
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
    const at::IntArrayRef shape = slot.parameter.value.sizes();
    const at::Tensor exp_avg = of_owner(slot, slot.exp_avg, shape);
    const at::Tensor exp_avg_sq = of_owner(slot, slot.exp_avg_sq, shape);
    const at::Tensor step = of_owner(slot, slot.step, {});
    if (is_sharded_ && rank_ != 0) continue;
    tensors.push_back(to_tensor(name + ".exp_avg", exp_avg));
    tensors.push_back(to_tensor(name + ".exp_avg_sq", exp_avg_sq));
    tensors.push_back(to_tensor(name + ".step", step.to(at::kLong).reshape({1})));
  }
  return tensors;
}

void AdamW::load_state(const Tensors& state) {
  StateLoader loader("optimizer state");
  for (const Slot& slot : slots_) {
    const std::string& name = slot.parameter.name;
    if (is_own(slot)) {
      loader.expect(name + ".exp_avg", slot.exp_avg);
      loader.expect(name + ".exp_avg_sq", slot.exp_avg_sq);
    } else {
      const std::vector<int64_t> shape = slot.parameter.value.sizes().vec();
      for (const char* const moment : {".exp_avg", ".exp_avg_sq"}) {
        loader.expect(name + moment, shape, {"F32", "F16", "BF16"}, [](const at::Tensor&) {});
      }
    }
    loader.expect(name + ".step", slot.step.view({1}), {"I64"});
  }
  loader.load(state);
}

}  // namespace flowqat::model

/// How a trainer goes into a checkpoint, also between two batches of a round.
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <iterator>

#include "model/torch/base/boundary.h"
#include "model/torch/base/state_dict.h"
#include "model/torch/training/trainer.h"

namespace flowqat::model {
namespace {

// Beside the optimizer's: no parameter has a name without a point.
constexpr const char *kSums = "metric_sums", *kSteps = "metric_steps", *kScale = "loss_scale",
                     *kRound = "round", *kLosses = "round_losses", *kRanges = "round_ranges",
                     *kWidest = "round_widest_ranges", *kZeroPoints = "round_zero_points",
                     *kFinite = "round_finite.", *kGradient = ".gradient",
                     *kTaught = ".taught_gradient";

bool is_of_round(const std::string& name) {
  return name.starts_with(kRound) || name.ends_with(kGradient) || name.ends_with(kTaught);
}

/// Where the round's batches begin with their ranges, whoever brings them.
bool is_start_of_round(const std::string& name) { return name == kRanges || name == kZeroPoints; }

bool is_trainers(const std::string& name) {
  return name == kSums || name == kSteps || name == kScale || is_of_round(name);
}

bool holds(const Tensors& state, const std::string& name) {
  return std::ranges::any_of(state, [&](const Tensor& tensor) { return tensor.name == name; });
}

}  // namespace

Tensors TorchTrainer::state() const {
  return at_boundary("training state", [&] {
    if (group_ && (round_.batches > 0 || round_.is_of_all)) {
      throw Error("training: in a group there is a state only between rounds");
    }
    Tensors tensors;
    wait("training state", [&] { tensors = whole_state(); });
    return tensors;
  });
}

Tensors TorchTrainer::whole_state() const {
  Tensors tensors = optimizer_.state();
  if (average_) std::ranges::move(average_->state(), std::back_inserter(tensors));
  tensors.push_back(to_tensor(kSums, sums_));
  tensors.push_back(to_tensor(kSteps, at::full({1}, steps_, at::kLong)));
  if (scaler_) {
    tensors.push_back(
        to_tensor(kScale, at::stack({scaler_->scale().to(at::kDouble),
                                     scaler_->finite_updates().to(at::kDouble), overflows_})));
  }
  if (round_.batches == 0) return tensors;
  const std::vector<double> counts = {static_cast<double>(round_.batches), round_.denominator,
                                      static_cast<double>(round_.frames)};
  tensors.push_back(to_tensor(kRound, at::tensor(counts)));
  tensors.push_back(to_tensor(kLosses, round_.losses));
  if (round_.ranges.floats().defined()) {
    tensors.push_back(to_tensor(kRanges, round_.ranges.floats()));
    tensors.push_back(to_tensor(kZeroPoints, round_.ranges.integers()));
  }
  if (round_.widest.ends().defined()) {
    tensors.push_back(to_tensor(kWidest, round_.widest.ends()));
  }
  for (const auto& [batch, rows] : round_.finite) {
    tensors.push_back(to_tensor(kFinite + std::to_string(batch), rows.to(at::kByte)));
  }
  const std::vector<AdamW::Parameter> parameters = optimizer_.parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    const at::Tensor gradient = parameters[i].value.grad();
    if (gradient.defined()) {
      tensors.push_back(to_tensor(parameters[i].name + kGradient, gradient));
    }
    if (!round_.taught.empty() && round_.taught[i].defined()) {
      tensors.push_back(to_tensor(parameters[i].name + kTaught, round_.taught[i]));
    }
  }
  return tensors;
}

void TorchTrainer::load_state(const Tensors& state) {
  at_boundary("training state", [&] {
    Tensors own, average, optimizer;
    for (const Tensor& tensor : state) {
      // What one process alone did of a round is brought to it once.
      if (group_ && group_->rank().rank > 0 && is_of_round(tensor.name) &&
          !is_start_of_round(tensor.name)) {
        continue;
      }
      const bool is_average = average_ && WeightAverage::is_part(tensor);
      (is_trainers(tensor.name) ? own : is_average ? average : optimizer).push_back(tensor);
    }
    StateLoader loader("training state");
    loader.expect(kSums, sums_, {"F64"});
    loader.expect(kSteps, {1}, {"I64"},
                  [this](const at::Tensor& steps) { steps_ = steps.const_data_ptr<int64_t>()[0]; });
    if (holds(own, kScale)) {  // what was trained in another precision has none
      loader.expect(kScale, {3}, {"F64"}, [this](const at::Tensor& values) {
        if (!scaler_) return;
        scaler_->scale().copy_(values[0]);
        scaler_->finite_updates().copy_(values[1]);
        overflows_.copy_(values[2]);
      });
    }
    if (holds(own, kRound)) {
      expect_round(loader, own);
    } else if (holds(own, kRanges)) {
      expect_start_of_round(loader);
    }
    optimizer_.load_state(optimizer);
    if (average_) average_->load_state(average);
    loader.load(own);
    if (!holds(own, kRound) && holds(own, kRanges)) {
      round_.ranges.restore();  // the model was saved behind the batches that were done
      round_ = {};
    }
  });
}

void TorchTrainer::expect_start_of_round(StateLoader& loader) {
  round_.ranges.keep(model_.network());  // what it has, to be replaced
  if (!round_.ranges.floats().defined()) return;
  loader.expect(kRanges, round_.ranges.floats(), {"F32"});
  loader.expect(kZeroPoints, round_.ranges.integers(), {"I32"});
}

void TorchTrainer::expect_round(StateLoader& loader, const Tensors& state) {
  round_ = {};
  loader.expect(kRound, {3}, {"F64"}, [this](const at::Tensor& counts) {
    const double* count = counts.const_data_ptr<double>();
    round_.batches = static_cast<int64_t>(count[0]);
    round_.denominator = count[1];
    round_.frames = static_cast<int64_t>(count[2]);
  });
  round_.losses = at::empty({3}, sums_.options());
  loader.expect(kLosses, round_.losses, {"F64"});
  expect_start_of_round(loader);
  for (const Tensor& tensor : state) {
    if (tensor.name == kWidest) {
      loader.expect(kWidest, tensor.shape, {"F32"}, [this](const at::Tensor& ends) {
        round_.widest.set_ends(ends.to(model_.device()));
      });
    }
    if (!tensor.name.starts_with(kFinite)) continue;
    const int64_t batch = std::stol(tensor.name.substr(std::string(kFinite).size()));
    loader.expect(tensor.name, tensor.shape, {"U8"}, [this, batch](const at::Tensor& finite) {
      round_.finite.push_back({batch, finite.to(model_.device(), at::kBool)});
    });
  }
  const std::vector<AdamW::Parameter> parameters = optimizer_.parameters();
  if (std::ranges::any_of(state, [](const Tensor& t) { return t.name.ends_with(kTaught); })) {
    round_.taught.resize(parameters.size());
  }
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::string& name = parameters[i].name;
    const at::Tensor& value = parameters[i].value;
    if (holds(state, name + kGradient)) {
      value.mutable_grad() = at::empty_like(value.detach());
      loader.expect(name + kGradient, value.mutable_grad());
    }
    if (holds(state, name + kTaught)) {
      round_.taught[i] = at::empty_like(value.detach());
      loader.expect(name + kTaught, round_.taught[i]);
    }
  }
}

}  // namespace flowqat::model

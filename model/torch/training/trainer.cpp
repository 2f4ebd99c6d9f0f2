#include "model/torch/training/trainer.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <string>
#include <utility>

#include "model/torch/base/boundary.h"
#include "model/torch/base/state_dict.h"
#include "model/torch/base/tensor_memory.h"
#include "model/torch/operators/device_product.h"
#include "model/torch/training/parameter_settings.h"

namespace flowqat::model {
TorchTrainer::TorchTrainer(Trainable& model, const TrainOptions& options,
                           std::shared_ptr<const Trainable> teacher,
                           std::shared_ptr<TorchGroup> group)
    : model_(model),
      teacher_(std::move(teacher)),
      options_(options),
      group_(std::move(group)),
      optimizer_(trained_parameters(model.network().named_parameters(), options), options, group_),
      shared_inputs_(model.network()) {
  check_teacher();
  if (group_) {
    join_group();
    std::vector<at::Tensor> values;
    for (const AdamW::Parameter& parameter : optimizer_.parameters()) {
      values.push_back(parameter.value);
    }
    gradient_sum_.emplace(group_, values);
  }
  if (options.ema_decay > 0) average_.emplace(optimizer_.parameters(), options.ema_decay);
  Wav2Vec2& base = model.network().base();
  base.set_feature_gradient_scale(options.feature_gradient_scale);
  base.encoder().set_gradient_checkpointing(options.gradient_checkpointing);
  model.network().set_head_only(false);
  sums_ = at::zeros({4}, at::TensorOptions(model.device()).dtype(at::kDouble));
  overflows_ = at::zeros({}, sums_.options());
  if (!model.device().is_cpu() && device_factors() == at::kHalf) scaler_.emplace(model.device());
}

TorchTrainer::~TorchTrainer() { release_tensor_heap(); }

void TorchTrainer::check_teacher() const {
  if ((options_.distillation_weight > 0) != (teacher_ != nullptr)) {
    throw Error(teacher_ ? "distillation: there is a teacher, but its weight is 0"
                         : "distillation needs a teacher, another model whose logits are learnt");
  }
  if (!teacher_) return;
  if (!(options_.distillation_temperature > 0)) {
    throw Error("distillation: the temperature must be above 0, found " +
                std::to_string(options_.distillation_temperature));
  }
  if (teacher_.get() == &model_) throw Error("distillation: a model cannot be its own teacher");
  const Config &own = model_.config(), &other = teacher_->config();
  if (own.vocab_size != other.vocab_size || own.pad_token_id != other.pad_token_id) {
    throw Error("distillation: the teacher has " + std::to_string(other.vocab_size) +
                " tokens with blank " + std::to_string(other.pad_token_id) + ", the model " +
                std::to_string(own.vocab_size) + " with blank " + std::to_string(own.pad_token_id));
  }
  if (own.conv_kernel != other.conv_kernel || own.conv_stride != other.conv_stride) {
    throw Error(
        "distillation: the teacher's convolutions make other frames than the model's: conv_kernel "
        "and conv_stride must be equal");
  }
  if (teacher_->device() != model_.device()) {
    throw Error("distillation: the teacher is on " + teacher_->device().str() + ", the model on " +
                model_.device().str() + "; both must be on one device");
  }
}

Hearing TorchTrainer::accumulate(const AudioBatch& batch, uint64_t seed, int64_t batch_of_round,
                                 bool is_last) {
  return at_boundary("training step", [&] {
    if (round_.is_of_all) {
      throw Error("training: a process brought another batch to a round after its last");
    }
    if (round_.batches == options_.batches_per_step) {
      throw Error("training: a round has " + std::to_string(options_.batches_per_step) +
                  " batches (batches_per_step), and then an update");
    }
    const Part whole{.rows = batch,
                     .seed = seed,
                     .batch = batch_of_round < 0 ? round_.batches : batch_of_round,
                     .sums_up = options_.batches_per_step > 1 || group_,
                     .is_last = is_last};
    if (!model_.device().is_cpu() && !group_) return hear_or_halve(whole);
    hear(whole);
    return Hearing::whole;
  });
}

double TorchTrainer::denominator_of(const Round& round) const {
  return options_.reduction == CtcReduction::sum ? 1 : std::max(1.0, round.denominator);
}

double TorchTrainer::weight_of_frames(const Round& round) const {
  return options_.distillation_weight / static_cast<double>(std::max<int64_t>(1, round.frames));
}

void TorchTrainer::join_taught(Round& round, double factor) {
  if (round.taught.empty()) return;
  const at::NoGradGuard no_grad;
  const std::vector<AdamW::Parameter> parameters = optimizer_.parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    at::Tensor& gradient = parameters[i].value.mutable_grad();
    if (!round.taught[i].defined()) continue;
    round.taught[i].mul_(factor);
    gradient = gradient.defined() ? gradient.add_(round.taught[i]) : round.taught[i];
  }
  round.taught.clear();
}

at::Tensor TorchTrainer::finish_round(Round& round, double denominator) {
  const at::Tensor loss = round.losses[0] / denominator;
  if (round.frames == 0) return loss;  // it has its part in it, or there is no teacher
  const double weight = weight_of_frames(round);
  join_taught(round, weight * denominator);
  return loss + round.losses[1] * weight;
}

void TorchTrainer::update(double learning_rate) {
  at_boundary("training step", [&] {
    const at::NoGradGuard no_grad;
    if (group_ && !round_.is_of_all) sum_over_all({}, {});
    Round round = std::exchange(round_, {});
    if (round.batches == 0) {
      watched_.push_back({});
      return;
    }
    if (group_) join_losses_and_ranges(round);
    const double denominator = denominator_of(round);
    const at::Tensor loss = finish_round(round, denominator);
    const auto [norm, skipped] = optimizer_.step(learning_rate, denominator, loss,
                                                 scaler_ ? scaler_->scale() : at::Tensor());
    round.widest.put(model_.network());
    round.ranges.restore_where(skipped);
    if (average_) average_->follow(skipped);
    at::Tensor defective = skipped;  // for what was heard
    if (scaler_) {
      const at::Tensor overflowed = scaler_->follow(norm.isfinite()).logical_and(loss.isfinite());
      overflows_ += overflowed.to(at::kDouble);
      defective = skipped.logical_and(overflowed.logical_not());
    }
    const at::Tensor nothing = at::zeros({}, sums_.options());
    sums_ += at::stack({at::where(skipped, nothing, loss),
                        at::where(skipped, nothing, norm.to(at::kDouble)), round.losses[2],
                        defective.to(at::kDouble)});
    ++steps_;
    watched_.push_back({defective, std::move(round.finite)});
  });
}

void TorchTrainer::wait(const char* doing, const std::function<void()>& wait) const {
  group_ ? group_->wait_for_device(doing, wait) : wait();
}

TrainMetrics TorchTrainer::metrics() {
  return at_boundary("training metrics", [&] {
    at::Tensor sums = sums_;
    if (scaler_) {
      sums = at::cat({sums, overflows_.view({1}), scaler_->scale().to(at::kDouble).view({1})});
    }
    wait("metrics", [&] { sums = sums.cpu(); });
    const double* sum = sums.const_data_ptr<double>();
    TrainMetrics metrics{.steps = steps_,
                         .skipped = static_cast<int64_t>(sum[3]),
                         .infinite_losses = static_cast<int64_t>(sum[2])};
    if (scaler_) {
      metrics.overflows = static_cast<int64_t>(sum[4]);
      metrics.loss_scale = sum[5];
    }
    if (const int64_t made = metrics.steps - metrics.skipped - metrics.overflows; made > 0) {
      metrics.loss = sum[0] / static_cast<double>(made);
      metrics.gradient_norm = sum[1] / static_cast<double>(made);
    }
    sums_.zero_();
    overflows_.zero_();
    steps_ = 0;
    return metrics;
  });
}

std::vector<SkippedUpdate> TorchTrainer::skipped() {
  return at_boundary("training metrics", [&] {
    std::vector<SkippedUpdate> found;
    std::vector<at::Tensor> flags;
    for (const Watched& update : watched_) {
      flags.push_back(update.skipped.defined() ? update.skipped.to(at::kDouble)
                                               : at::zeros({}, sums_.options()));
    }
    if (flags.empty()) return found;
    at::Tensor skipped;
    wait("metrics", [&] { skipped = at::stack(flags).cpu(); });
    for (size_t i = 0; i < watched_.size(); ++i) {
      if (skipped.const_data_ptr<double>()[i] == 0) continue;
      SkippedUpdate& update = found.emplace_back();
      update.update = static_cast<int64_t>(i);
      for (const auto& [batch, rows] : watched_[i].finite) {
        const at::Tensor finite = rows.cpu();
        for (int64_t row = 0; row < finite.numel(); ++row) {
          if (!finite.const_data_ptr<bool>()[row]) update.rows.push_back({batch, row});
        }
      }
    }
    watched_.clear();
    return found;
  });
}

void TorchTrainer::train_head_only(bool on) { model_.network().set_head_only(on); }

void TorchTrainer::exchange_average() {
  at_boundary("averaging weights", [&] {
    if (!average_) throw Error("training: there is no average of the weights: ema_decay is 0");
    if (average_is_in_) {
      average_->exchange();
      grids_of_weights_.restore();
    } else {
      grids_of_weights_ = WeightGrids(model_.network());
      average_->exchange();
      model_.see_weights();
    }
    average_is_in_ = !average_is_in_;
  });
}

}  // namespace flowqat::model

#include "model/torch/training/trainer.h"

#include <ATen/Context.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <string>
#include <utility>

#include "model/torch/base/boundary.h"
#include "model/torch/base/state_dict.h"
#include "model/torch/network/batch.h"
#include "model/torch/training/loss.h"

namespace flowqat::model {
namespace {

/// In a checkpoint, beside the optimizer's: no parameter has a name without a point.
constexpr const char *kSums = "metric_sums", *kSteps = "metric_steps";

std::vector<AdamW::Parameter> parameters_of(Wav2Vec2ForCtc& network) {
  std::vector<AdamW::Parameter> parameters;
  for (const auto& [name, value] : network.named_parameters()) {
    parameters.push_back({published_name(name), value, !is_learned_step(name)});
  }
  return parameters;
}

}  // namespace

TorchTrainer::TorchTrainer(Trainable& model, const TrainOptions& options,
                           std::shared_ptr<const Trainable> teacher)
    : model_(model),
      teacher_(std::move(teacher)),
      options_(options),
      optimizer_(parameters_of(model.network()), options) {
  check_teacher();
  sums_ = at::zeros({3}, at::TensorOptions(model.device()).dtype(at::kDouble));
}

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

at::Tensor TorchTrainer::wanted_logits(const AudioBatch& batch,
                                       const std::vector<int64_t>& frames) const {
  const at::NoGradGuard no_grad;
  return teacher_->evaluate(
      network_input(teacher_->config(), batch, frames, /*training=*/false, teacher_->device()));
}

void TorchTrainer::step(const AudioBatch& batch, double learning_rate, uint64_t seed) {
  at_boundary("training step", [&] {
    const at::Device device = model_.device();
    const std::vector<int64_t> frames = checked_frames(model_.config(), batch);
    const NetworkInput input = network_input(model_.config(), batch, frames, true, device);
    const Targets targets = checked_targets(model_.config(), batch, device);
    const at::Tensor wanted = teacher_ ? wanted_logits(batch, frames) : at::Tensor();
    model_.begin_training(input);
    at::manual_seed(seed);

    const at::Tensor logits = model_.network().forward(input);
    const CtcLoss loss = ctc_loss(logits, frames, targets, model_.config().pad_token_id,
                                  options_.reduction, options_.zero_infinity);
    at::Tensor total = loss.value;
    if (teacher_) {
      total =
          total + options_.distillation_weight *
                      distillation_loss(logits, wanted, frames, options_.distillation_temperature);
    }
    total.backward();
    const at::Tensor norm = optimizer_.step(learning_rate);

    const at::NoGradGuard no_grad;
    sums_ += at::stack(
        {total.detach().to(at::kDouble), norm.to(at::kDouble), loss.infinite.to(at::kDouble)});
    ++steps_;
  });
}

TrainMetrics TorchTrainer::means(const at::Tensor& sums) const {
  const double* sum = sums.const_data_ptr<double>();
  TrainMetrics metrics{steps_, 0, 0, static_cast<int64_t>(sum[2])};
  if (steps_ > 0) {
    metrics.loss = sum[0] / static_cast<double>(steps_);
    metrics.gradient_norm = sum[1] / static_cast<double>(steps_);
  }
  if (std::isfinite(metrics.loss) && std::isfinite(metrics.gradient_norm)) return metrics;
  throw Error("training: the loss or its gradient was not a number in the last " +
              std::to_string(metrics.steps) + " steps (" + std::to_string(metrics.infinite_losses) +
              " utterances had an infinite loss). The weights are spoilt: go back to a "
              "checkpoint, with a lower learning rate, a gradient clip or zero_infinity");
}

TrainMetrics TorchTrainer::metrics() {
  return at_boundary("training metrics", [&] {
    const TrainMetrics metrics = means(sums_.cpu());
    sums_.zero_();
    steps_ = 0;
    return metrics;
  });
}

Tensors TorchTrainer::state() const {
  return at_boundary("training state", [&] {
    const at::Tensor sums = sums_.cpu();
    means(sums);
    Tensors tensors = optimizer_.state();
    tensors.push_back(to_tensor(kSums, sums));
    tensors.push_back(to_tensor(kSteps, at::full({1}, steps_, at::kLong)));
    return tensors;
  });
}

void TorchTrainer::load_state(const Tensors& state) {
  at_boundary("training state", [&] {
    Tensors own, optimizer;
    for (const Tensor& tensor : state) {
      (tensor.name == kSums || tensor.name == kSteps ? own : optimizer).push_back(tensor);
    }
    StateLoader loader("training state");
    loader.expect(kSums, sums_, {"F64"});
    loader.expect(kSteps, {1}, {"I64"},
                  [this](const at::Tensor& steps) { steps_ = steps.const_data_ptr<int64_t>()[0]; });
    optimizer_.load_state(optimizer);
    loader.load(own);
  });
}

}  // namespace flowqat::model

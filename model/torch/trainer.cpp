#include "model/torch/trainer.h"

#include <cmath>
#include <string>

#include "model/torch/batch.h"
#include "model/torch/boundary.h"
#include "model/torch/loss.h"
#include "model/torch/state_dict.h"
#include "model/torch/torch_model.h"

namespace flowqat::model {
namespace {

std::vector<AdamW::Parameter> parameters_of(Wav2Vec2ForCtc& network) {
  std::vector<AdamW::Parameter> parameters;
  for (const auto& item : network.named_parameters()) {
    parameters.push_back({published_name(item.key()), item.value(), !is_learned_step(item.key())});
  }
  return parameters;
}

}  // namespace

TorchTrainer::TorchTrainer(TorchModel& model, const TrainOptions& options)
    : model_(model), options_(options), optimizer_(parameters_of(model.network()), options) {
  sums_ = torch::zeros({3}, torch::TensorOptions(model.device()).dtype(torch::kFloat64));
}

void TorchTrainer::step(const AudioBatch& batch, double learning_rate, uint64_t seed) {
  at_boundary("training step", [&] {
    const torch::Device device = model_.device();
    const std::vector<int64_t> frames = checked_frames(model_.config(), batch);
    const NetworkInput input = network_input(model_.config(), batch, frames, true, device);
    const Targets targets = checked_targets(model_.config(), batch, device);
    model_.begin_training(input);
    torch::manual_seed(seed);

    const torch::Tensor logits = model_.network().forward(input);
    const CtcLoss loss = ctc_loss(logits, frames, targets, model_.config().pad_token_id,
                                  options_.reduction, options_.zero_infinity);
    loss.value.backward();
    const torch::Tensor norm = optimizer_.step(learning_rate);

    const torch::NoGradGuard no_grad;
    sums_ += at::stack({loss.value.detach().to(torch::kFloat64), norm.to(torch::kFloat64),
                        loss.infinite.to(torch::kFloat64)});
    ++steps_;
  });
}

TrainMetrics TorchTrainer::metrics() {
  return at_boundary("training metrics", [&] {
    const torch::Tensor sums = sums_.cpu();
    const double* sum = sums.const_data_ptr<double>();
    TrainMetrics metrics{steps_, 0, 0, static_cast<int64_t>(sum[2])};
    if (steps_ > 0) {
      metrics.loss = sum[0] / static_cast<double>(steps_);
      metrics.gradient_norm = sum[1] / static_cast<double>(steps_);
    }
    sums_.zero_();
    steps_ = 0;
    if (!std::isfinite(metrics.loss) || !std::isfinite(metrics.gradient_norm)) {
      throw Error("training: the loss or its gradient was not a number in the last " +
                  std::to_string(metrics.steps) + " steps (" +
                  std::to_string(metrics.infinite_losses) +
                  " utterances had an infinite loss). The weights are spoilt: go back to a "
                  "checkpoint, with a lower learning rate, a gradient clip or zero_infinity");
    }
    return metrics;
  });
}

Tensors TorchTrainer::state() const {
  return at_boundary("optimizer state", [&] { return optimizer_.state(); });
}

void TorchTrainer::load_state(const Tensors& state) {
  at_boundary("optimizer state", [&] { optimizer_.load_state(state); });
}

}  // namespace flowqat::model

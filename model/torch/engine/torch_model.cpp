#include "model/torch/engine/torch_model.h"

#include <ATen/ops/cat.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/accumulate.h>

#include <map>
#include <utility>

#include "model/batch.h"
#include "model/torch/base/boundary.h"
#include "model/torch/base/device_memory.h"
#include "model/torch/base/state_dict.h"
#include "model/torch/distributed/torch_group.h"
#include "model/torch/network/batch.h"

namespace flowqat::model {

TorchModel::TorchModel(Config config, std::shared_ptr<Wav2Vec2ForCtc> network, at::Device device)
    : config_(std::move(config)), network_(std::move(network)), device_(device) {
  network_->to(device_);
}

void TorchModel::move_to(at::Device device) {
  device_ = device;
  network_->to(device_);
}

void TorchModel::enter(Mode mode) const {
  const std::lock_guard lock(mode_lock_);
  if (mode_ == mode) return;
  network_->train(mode == Mode::training);
  for (const auto& [name, layer] : network_->quantizable_layers()) {
    if (!layer->is_fake_quantized()) continue;
    layer->set_calibrating(mode == Mode::observing);
    switch (mode) {
      case Mode::evaluating:
        layer->set_observers(false, false);
        break;
      case Mode::finding_peaks:
        layer->set_observers(layer->awaits_factor(), false);
        break;
      case Mode::observing:
        layer->set_observers(true, true);
        break;
      case Mode::training:
        layer->set_observers(observing_activations_, true);
        break;
    }
  }
  mode_ = mode;
}

int64_t TorchModel::parameter_count() const {
  int64_t count = 0;
  for (const auto& [name, value] : network_->named_parameters()) {
    if (!is_learned_step(name)) count += value.numel();
  }
  if (!mask_embedding_is_saved()) count -= config_.hidden_size;
  for (const auto& [name, layer] : network_->quantizable_layers()) {
    if (layer->is_int8()) count += c10::multiply_integers(layer->weight_shape());
  }
  // The gains of the weight norm, which is folded by then.
  if (precision_ == Precision::int8) count += config_.num_conv_pos_embeddings;
  return count;
}

std::unique_ptr<TorchModel> TorchModel::copy() const {
  const at::NoGradGuard no_grad;
  auto network = std::make_shared<Wav2Vec2ForCtc>(config_);
  auto copied = std::make_unique<TorchModel>(config_, network, device_);
  std::map<std::string, at::Tensor> sources;
  for (const auto& [name, value] : network_->named_parameters()) sources[name] = value;
  for (auto& [name, value] : network->named_parameters()) {
    // The layers copy their own, which an int8 one no longer has.
    if (const auto source = sources.find(name); source != sources.end()) {
      value.copy_(source->second);
    }
  }
  const auto& layers = network->quantizable_layers();
  for (size_t i = 0; i < layers.size(); ++i) {
    layers[i].layer->copy_from(*network_->quantizable_layers()[i].layer);
  }
  copied->share_input_steps();
  copied->precision_ = precision_;
  copied->policy_ = policy_;
  copied->calibrated_ = calibrated_;
  copied->observing_activations_ = observing_activations_;
  copied->mask_embedding_used_ = mask_embedding_used_;
  copied->half_positional_conv_ = half_positional_conv_;
  return copied;
}

std::unique_ptr<Model> TorchModel::clone() const {
  return at_boundary("copying a model", [&] { return copy(); });
}

at::Tensor TorchModel::evaluate(const NetworkInput& input) const {
  enter(Mode::evaluating);
  return network_->forward(input);
}

/// [rows, frames, vocabulary] float32 on the CPU.
at::Tensor TorchModel::scores_of(const AudioBatch& batch,
                                 const std::vector<int64_t>& frames) const {
  try {
    const NetworkInput input = network_input(config_, batch, frames, device_);
    return evaluate(input).to(at::kCPU, at::kFloat).contiguous();
  } catch (const c10::Error& error) {
    if (device_.is_cpu() || batch.rows < 2 || !tells_of_full_device(error)) throw;
  }
  empty_cache(device_);
  const int64_t half = batch.rows / 2;
  const auto part = [&](int64_t first, int64_t count) {
    return scores_of(rows_of(batch, first, count),
                     {frames.begin() + first, frames.begin() + first + count});
  };
  return at::cat({part(0, half), part(half, batch.rows - half)});
}

Logits TorchModel::infer(const AudioBatch& batch) const {
  return at_boundary("inference", [&] {
    const c10::InferenceMode inference;
    Logits logits;
    logits.lengths_frames = checked_frames(config_, batch);
    const at::Tensor scores = scores_of(batch, logits.lengths_frames);
    logits.rows = scores.size(0);
    logits.frames = scores.size(1);
    logits.vocabulary = scores.size(2);
    const float* values = scores.const_data_ptr<float>();
    logits.values.assign(values, values + scores.numel());
    return logits;
  });
}

std::unique_ptr<Trainer> TorchModel::trainer(const TrainOptions& options,
                                             std::shared_ptr<const Model> teacher,
                                             std::shared_ptr<Group> group) {
  if (precision_ == Precision::int8) {
    throw Error(
        "an int8 model cannot be trained: train the float or fake-quantized model that it "
        "was converted from");
  }
  if (precision_ == Precision::fake_quantized && !calibrated_) {
    throw Error("the model has fake quantizers without ranges: calibrate it before training");
  }
  return at_boundary("starting training", [&] {
    return std::make_unique<TorchTrainer>(
        *this, options, std::dynamic_pointer_cast<const Trainable>(std::move(teacher)),
        std::dynamic_pointer_cast<TorchGroup>(std::move(group)));
  });
}

void TorchModel::begin_training(const NetworkInput& input) {
  if (input.time_mask.defined()) mask_embedding_used_ = true;
  see_weights();
}

void TorchModel::see_weights() {
  enter(Mode::training);
  std::vector<FakeQuantizer::Sight> weights;
  for (const auto& [name, layer] : network_->quantizable_layers()) {
    if (const auto weight = layer->next_weight()) weights.push_back(*weight);
  }
  FakeQuantizer::see_together(weights);
}

}  // namespace flowqat::model

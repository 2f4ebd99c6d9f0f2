// TorchModel's way from float over fake quantization to int8.
#include <utility>

#include "model/torch/batch.h"
#include "model/torch/boundary.h"
#include "model/torch/torch_model.h"

namespace flowqat::model {

void TorchModel::for_quantized_layers(
    const std::function<void(const Wav2Vec2ForCtc::NamedLayer&, const LayerScheme&)>& call) const {
  const std::pair<const char*, const std::string&> parts[] = {
      {"wav2vec2.feature_extractor.", policy_.feature_extractor},
      {"wav2vec2.encoder.", policy_.encoder}};
  for (const auto& [prefix, scheme] : parts) {
    if (scheme == "none") continue;
    const LayerScheme layer_scheme = preset(scheme);
    for (const auto& layer : network_->quantizable_layers()) {
      if (layer.name.starts_with(prefix)) call(layer, layer_scheme);
    }
  }
}

void TorchModel::insert_fake_quantizers(const Policy& policy) {
  at_boundary("inserting fake quantizers", [&] {
    if (precision_ != Precision::float32) {
      throw Error("fake quantizers go into a float model; this one is already quantized");
    }
    const Policy before = std::exchange(policy_, policy);
    std::vector<std::pair<std::shared_ptr<QuantizableLayer>, LayerScheme>> chosen;
    try {
      for_quantized_layers([&](const auto& layer, const LayerScheme& scheme) {
        chosen.emplace_back(layer.layer, scheme);
      });
      if (chosen.empty()) {
        throw Error(
            "the quantization policy leaves every layer in float: name a preset for the "
            "feature extractor or the encoder");
      }
    } catch (const Error&) {
      policy_ = before;
      throw;
    }
    for (const auto& [layer, scheme] : chosen) layer->insert_fake_quantizers(scheme);
    precision_ = Precision::fake_quantized;
    mode_.reset();
  });
}

void TorchModel::observe(const AudioBatch& batch) {
  at_boundary("calibration", [&] {
    if (precision_ != Precision::fake_quantized) {
      throw Error("calibration needs a model with fake quantizers: insert them first");
    }
    if (std::exchange(calibrated_, false)) {
      for (const auto& [name, layer] : network_->quantizable_layers()) {
        if (layer->is_fake_quantized()) layer->set_fake_quantization(false);
      }
    }
    enter(Mode::observing);
    const torch::NoGradGuard no_grad;
    const std::vector<int64_t> frames = checked_frames(config_, batch);
    network_->forward(network_input(config_, batch, frames, /*training=*/false, device_));
  });
}

void TorchModel::finish_calibration() {
  at_boundary("calibration", [&] {
    if (precision_ != Precision::fake_quantized) {
      throw Error("calibration needs a model with fake quantizers: insert them first");
    }
    for (const auto& [name, layer] : network_->quantizable_layers()) {
      if (layer->is_fake_quantized() && !layer->observed()) {
        throw Error("calibration: layer \"" + name +
                    "\" has seen no audio: observe at least one batch before calibration ends");
      }
    }
    for (const auto& [name, layer] : network_->quantizable_layers()) {
      if (layer->is_fake_quantized()) layer->set_fake_quantization(true);
    }
    calibrated_ = true;
    observing_activations_ = false;
    enter(Mode::evaluating);
  });
}

void TorchModel::set_activation_observers(bool on) {
  if (precision_ != Precision::fake_quantized) {
    throw Error("activation observers belong to a model with fake quantizers: insert them first");
  }
  if (std::exchange(observing_activations_, on) != on) mode_.reset();
}

std::unique_ptr<Model> TorchModel::convert() const {
  return at_boundary("conversion to int8", [&] {
    if (precision_ != Precision::fake_quantized || !calibrated_) {
      throw Error("conversion to int8 needs a calibrated model with fake quantizers; this one is " +
                  std::string(precision_ == Precision::float32 ? "float"
                              : precision_ == Precision::int8  ? "int8 already"
                                                               : "not calibrated"));
    }
    std::unique_ptr<TorchModel> converted = copy();
    converted->move_to(torch::kCPU);
    const torch::NoGradGuard no_grad;
    for (const auto& [name, layer] : converted->network_->quantizable_layers()) {
      if (layer->is_fake_quantized()) layer->convert_to_int8();
    }
    converted->precision_ = Precision::int8;
    converted->use_kernels(Kernels::fastest);
    converted->mode_.reset();
    return converted;
  });
}

}  // namespace flowqat::model

// TorchModel's way from float over fake quantization to int8.

#include <algorithm>
#include <set>
#include <utility>

#include "model/torch/base/boundary.h"
#include "model/torch/engine/torch_model.h"
#include "model/torch/network/batch.h"

namespace flowqat::model {

std::vector<std::string> TorchModel::quantizable_layers() const {
  std::vector<std::string> names;
  for (const auto& layer : network_->quantizable_layers()) names.push_back(layer.name);
  return names;
}

void TorchModel::for_quantized_layers(
    const std::function<void(const Wav2Vec2ForCtc::NamedLayer&, const LayerScheme&)>& call) const {
  for (const auto& layer : network_->quantizable_layers()) {
    if (const LayerChoice choice = choice_for(policy_, layer.name)) call(layer, *choice);
  }
}

void TorchModel::check_exceptions(const Policy& policy) const {
  for (const Policy::Exception& exception : policy.exceptions) {
    Policy alone;
    alone.exceptions = {{exception.match, std::nullopt}};
    for (const auto& [name, part] : policy_parts) alone.*part = LayerScheme{};
    const auto matches = [&](const auto& layer) { return !choice_for(alone, layer.name); };
    if (!std::ranges::any_of(network_->quantizable_layers(), matches)) {
      throw Error("quantization policy: the exception \"" + exception.match +
                  "\" matches no layer; names are such as \"" +
                  network_->quantizable_layers().front().name + "\"");
    }
  }
}

void TorchModel::insert_fake_quantizers(const Policy& policy) {
  at_boundary("inserting fake quantizers", [&] {
    if (precision_ != Precision::float32) {
      throw Error("fake quantizers go into a float model; this one is already quantized");
    }
    check_exceptions(policy);
    const Policy before = std::exchange(policy_, policy);
    std::vector<std::pair<std::shared_ptr<QuantizableLayer>, LayerScheme>> chosen;
    for_quantized_layers([&](const auto& layer, const LayerScheme& scheme) {
      chosen.emplace_back(layer.layer, scheme);
    });
    if (chosen.empty()) {
      policy_ = before;
      throw Error(
          "the quantization policy leaves every layer in float: name a preset for a part of the "
          "model");
    }
    for (const auto& [layer, scheme] : chosen) layer->insert_fake_quantizers(scheme);
    precision_ = Precision::fake_quantized;
    mode_.reset();
  });
}

void TorchModel::require_calibrated(const char* action) const {
  if (precision_ == Precision::fake_quantized && calibrated_) return;
  throw Error(std::string(action) + " needs a calibrated model with fake quantizers; this one is " +
              (precision_ == Precision::float32 ? "float"
               : precision_ == Precision::int8  ? "int8 already"
                                                : "not calibrated"));
}

void TorchModel::set_fake_quantization(bool on) {
  require_calibrated("switching fake quantization");
  for (const auto& [name, layer] : network_->quantizable_layers()) {
    if (layer->is_fake_quantized()) layer->set_fake_quantization(on);
  }
}

void TorchModel::fake_quantize_only(const std::vector<std::string>& layers) {
  require_calibrated("switching fake quantization");
  std::set<std::string> chosen(layers.begin(), layers.end());
  for (const auto& [name, layer] : network_->quantizable_layers()) {
    if (layer->is_fake_quantized()) layer->set_fake_quantization(chosen.erase(name) > 0);
  }
  if (chosen.empty()) return;
  throw Error("layer \"" + *chosen.begin() +
              "\" has no fake quantizers: the policy does not choose it");
}

void TorchModel::set_activation_observers(bool on) {
  if (precision_ != Precision::fake_quantized) {
    throw Error("activation observers belong to a model with fake quantizers: insert them first");
  }
  if (std::exchange(observing_activations_, on) != on) mode_.reset();
}

std::unique_ptr<Model> TorchModel::convert(const ConvertOptions& options) const {
  return at_boundary("conversion to int8", [&] {
    require_calibrated("conversion to int8");
    std::unique_ptr<TorchModel> converted = copy();
    converted->move_to(at::kCPU);
    const at::NoGradGuard no_grad;
    for (const auto& [name, layer] : converted->network_->quantizable_layers()) {
      if (layer->is_fake_quantized()) layer->convert_to_int8();
      layer->fold_weight_norm();
    }
    PositionalConv1dLayer& positional =
        converted->network_->base().encoder().positional_conv().conv();
    if (options.half_positional_conv && !positional.is_int8()) {
      positional.weight.copy_(positional.weight.to(at::kHalf));
      converted->half_positional_conv_ = true;
    }
    converted->precision_ = Precision::int8;
    converted->mode_.reset();
    return converted;
  });
}

}  // namespace flowqat::model

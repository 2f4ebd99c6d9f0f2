// TorchModel's calibration: from fake quantizers that have seen nothing to their ranges.
#include <algorithm>
#include <map>
#include <utility>

#include "model/torch/base/boundary.h"
#include "model/torch/engine/torch_model.h"
#include "model/torch/network/batch.h"
#include "model/torch/network/layer_inputs.h"

namespace flowqat::model {

void TorchModel::observe(const AudioBatch& batch) {
  at_boundary("calibration", [&] {
    if (precision_ != Precision::fake_quantized) {
      throw Error("calibration needs a model with fake quantizers: insert them first");
    }
    if (std::exchange(calibrated_, false)) {
      for (const auto& [name, layer] : network_->quantizable_layers()) {
        if (layer->is_fake_quantized()) layer->calibrate_again();
      }
      mode_.reset();
    }
    enter(needs_second_pass() ? Mode::finding_peaks : Mode::observing);
    const at::NoGradGuard no_grad;
    const std::vector<int64_t> frames = checked_frames(config_, batch);
    network_->forward(network_input(config_, batch, frames, device_));
  });
}

bool TorchModel::needs_second_pass() const {
  return std::ranges::any_of(network_->quantizable_layers(),
                             [](const auto& layer) { return layer.layer->awaits_factor(); });
}

void TorchModel::begin_second_pass() {
  at_boundary("calibration", [&] {
    if (!needs_second_pass()) {
      throw Error("calibration: the policy smooths no channels, so there is no second pass");
    }
    std::map<std::pair<std::string, double>, std::vector<QuantizableLayer*>> of_one_input;
    for (const auto& [name, layer] : network_->quantizable_layers()) {
      if (!layer->awaits_factor()) continue;
      of_one_input[{input_of(name), layer->scheme().smoothing}].push_back(layer.get());
    }
    for (const auto& [input, layers] : of_one_input) QuantizableLayer::choose_factor(layers);
    mode_.reset();
  });
}

void TorchModel::share_input_steps() {
  std::map<std::string, FakeQuantizer*> first_of;
  for (const auto& [name, layer] : network_->quantizable_layers()) {
    if (!layer->is_fake_quantized()) continue;
    FakeQuantizer& input = *layer->fake_quantized().input;
    input.share_step_with(*first_of.emplace(input_of(name), &input).first->second);
  }
}

void TorchModel::finish_calibration() {
  at_boundary("calibration", [&] {
    if (precision_ != Precision::fake_quantized) {
      throw Error("calibration needs a model with fake quantizers: insert them first");
    }
    if (needs_second_pass()) {
      throw Error(
          "calibration: the policy smooths channels, which takes a second pass over the audio, and "
          "there was only one");
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
    share_input_steps();
    calibrated_ = true;
    observing_activations_ = false;
    enter(Mode::evaluating);
  });
}

}  // namespace flowqat::model

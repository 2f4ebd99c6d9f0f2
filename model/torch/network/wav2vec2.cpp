#include "model/torch/network/wav2vec2.h"

#include <ATen/ops/zeros.h>

#include "model/torch/network/masks.h"
#include "model/torch/operators/dropout.h"
#include "model/torch/operators/scale_gradient.h"

namespace flowqat::model {

Wav2Vec2::Wav2Vec2(const Config& config) {
  masked_spec_embed_ = register_parameter("masked_spec_embed", at::zeros({config.hidden_size}));
  feature_extractor_ =
      register_module("feature_extractor", std::make_shared<FeatureExtractor>(config));
  feature_projection_ =
      register_module("feature_projection", std::make_shared<FeatureProjection>(config));
  encoder_ = register_module("encoder", std::make_shared<Encoder>(config));
}

at::Tensor Wav2Vec2::forward(const NetworkInput& input, std::vector<at::Tensor>* hidden) {
  const at::Tensor features = feature_extractor_->forward(input.samples).transpose(1, 2);
  at::Tensor x = feature_projection_->forward(scale_gradient(features, feature_gradient_scale_));
  if (is_training()) {
    x = apply_masks(x, input.time_mask, input.channel_mask, masked_spec_embed_);
  }
  return encoder_->forward(x, input.frame_mask, hidden);
}

Wav2Vec2ForCtc::Wav2Vec2ForCtc(const Config& config) : final_dropout_(config.final_dropout) {
  base_ = register_module("wav2vec2", std::make_shared<Wav2Vec2>(config));
  lm_head_ = register_module("lm_head",
                             std::make_shared<LinearLayer>(config.hidden_size, config.vocab_size));
  for (const NamedModule& module : named_modules()) {
    if (auto layer = std::dynamic_pointer_cast<QuantizableLayer>(module.module)) {
      layer->set_path(module.name);
      layers_.push_back({module.name, std::move(layer)});
    }
  }
}

at::Tensor Wav2Vec2ForCtc::forward(const NetworkInput& input, std::vector<at::Tensor>* hidden) {
  const at::Tensor context = [&] {
    const bool stops = head_only_ && is_training();
    const at::AutoGradMode with_grad(at::GradMode::is_enabled() && !stops);
    return base_->forward(input, hidden);
  }();
  return lm_head_->forward(apply_dropout(context, final_dropout_, is_training()));
}

}  // namespace flowqat::model

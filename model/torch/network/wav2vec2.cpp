#include "model/torch/network/wav2vec2.h"

#include "model/torch/network/masks.h"
#include "model/torch/operators/dropout.h"

namespace flowqat::model {

Wav2Vec2::Wav2Vec2(const Config& config) {
  masked_spec_embed_ = register_parameter("masked_spec_embed", torch::zeros({config.hidden_size}));
  feature_extractor_ =
      register_module("feature_extractor", std::make_shared<FeatureExtractor>(config));
  feature_projection_ =
      register_module("feature_projection", std::make_shared<FeatureProjection>(config));
  encoder_ = register_module("encoder", std::make_shared<Encoder>(config));
}

torch::Tensor Wav2Vec2::forward(const NetworkInput& input, std::vector<torch::Tensor>* hidden) {
  const torch::Tensor features = feature_extractor_->forward(input.samples).transpose(1, 2);
  torch::Tensor x = feature_projection_->forward(features);
  if (is_training()) {
    x = apply_masks(x, input.time_mask, input.channel_mask, masked_spec_embed_);
  }
  return encoder_->forward(x, input.frame_mask, hidden);
}

Wav2Vec2ForCtc::Wav2Vec2ForCtc(const Config& config) : final_dropout_(config.final_dropout) {
  base_ = register_module("wav2vec2", std::make_shared<Wav2Vec2>(config));
  lm_head_ = register_module("lm_head",
                             std::make_shared<LinearLayer>(config.hidden_size, config.vocab_size));
  for (const auto& module : named_modules("", /*include_self=*/false)) {
    if (auto layer = std::dynamic_pointer_cast<QuantizableLayer>(module.value())) {
      layer->set_path(module.key());
      layers_.push_back({module.key(), std::move(layer)});
    }
  }
}

torch::Tensor Wav2Vec2ForCtc::forward(const NetworkInput& input,
                                      std::vector<torch::Tensor>* hidden) {
  const torch::Tensor context = base_->forward(input, hidden);
  return lm_head_->forward(apply_dropout(context, final_dropout_, is_training()));
}

}  // namespace flowqat::model

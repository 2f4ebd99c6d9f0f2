#include "model/torch/network/encoder.h"

#include "model/torch/operators/dropout.h"

namespace flowqat::model {

Encoder::Encoder(const Config& config)
    : norm_first_(config.do_stable_layer_norm),
      hidden_dropout_(config.hidden_dropout),
      layerdrop_(config.layerdrop) {
  positional_ = register_module("pos_conv_embed", std::make_shared<PositionalConv>(config));
  layer_norm_ = register_module(
      "layer_norm",
      torch::nn::LayerNorm(
          torch::nn::LayerNormOptions({config.hidden_size}).eps(config.layer_norm_eps)));
  torch::nn::ModuleList list;
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    layers_.push_back(std::make_shared<EncoderLayer>(config));
    list->push_back(layers_.back());
  }
  register_module("layers", list);
}

torch::Tensor Encoder::forward(const torch::Tensor& x, const torch::Tensor& frame_mask,
                               std::vector<torch::Tensor>* hidden) {
  torch::Tensor y = x, key_mask;
  if (frame_mask.defined()) {
    y = y.masked_fill(frame_mask.logical_not().unsqueeze(-1), 0);
    key_mask = frame_mask.unsqueeze(1).unsqueeze(1);
  }
  y = y + positional_->forward(y);
  if (!norm_first_) y = layer_norm_->forward(y);
  y = apply_dropout(y, hidden_dropout_, is_training());
  if (hidden) hidden->push_back(y);
  for (const auto& layer : layers_) {
    const bool skipped =
        is_training() && layerdrop_ > 0 && at::rand({}).item<double>() < layerdrop_;
    if (!skipped) y = layer->forward(y, key_mask);
    if (hidden) hidden->push_back(y);
  }
  return norm_first_ ? layer_norm_->forward(y) : y;
}

}  // namespace flowqat::model

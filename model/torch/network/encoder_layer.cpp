#include "model/torch/network/encoder_layer.h"

#include "model/torch/operators/activate.h"
#include "model/torch/operators/dropout.h"

namespace flowqat::model {

FeedForward::FeedForward(const Config& config)
    : activation_(config.hidden_act),
      activation_dropout_(config.activation_dropout),
      hidden_dropout_(config.hidden_dropout) {
  intermediate_ =
      register_module("intermediate_dense",
                      std::make_shared<LinearLayer>(config.hidden_size, config.intermediate_size));
  output_ = register_module(
      "output_dense", std::make_shared<LinearLayer>(config.intermediate_size, config.hidden_size));
}

at::Tensor FeedForward::forward(const at::Tensor& x, const at::Tensor& residual) {
  at::Tensor y = activate(activation_, intermediate_->forward(x));
  y = output_->forward(apply_dropout(y, activation_dropout_, is_training()));
  return add_dropout(y, residual, hidden_dropout_, is_training());
}

EncoderLayer::EncoderLayer(const Config& config)
    : norm_first_(config.do_stable_layer_norm), hidden_dropout_(config.hidden_dropout) {
  const auto make_norm = [&] {
    return std::make_shared<LayerNorm>(config.hidden_size, config.layer_norm_eps);
  };
  attention_ = register_module("attention", std::make_shared<Attention>(config));
  layer_norm_ = register_module("layer_norm", make_norm());
  feed_forward_ = register_module("feed_forward", std::make_shared<FeedForward>(config));
  final_layer_norm_ = register_module("final_layer_norm", make_norm());
}

at::Tensor EncoderLayer::forward(const at::Tensor& x, const at::Tensor& key_mask) {
  const at::Tensor attended =
      attention_->forward(norm_first_ ? layer_norm_->forward(x) : x, key_mask);
  at::Tensor y = add_dropout(attended, x, hidden_dropout_, is_training());
  if (norm_first_) return feed_forward_->forward(final_layer_norm_->forward(y), y);
  y = layer_norm_->forward(y);
  return final_layer_norm_->forward(feed_forward_->forward(y, y));
}

}  // namespace flowqat::model

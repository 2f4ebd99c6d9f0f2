#include "model/torch/network/encoder.h"

#include <ATen/ops/rand.h>

#include "model/torch/network/checkpointed_layer.h"
#include "model/torch/network/masks.h"
#include "model/torch/operators/dropout.h"

namespace flowqat::model {

Encoder::Encoder(const Config& config)
    : norm_first_(config.do_stable_layer_norm),
      hidden_dropout_(config.hidden_dropout),
      layerdrop_(config.layerdrop) {
  positional_ = register_module("pos_conv_embed", std::make_shared<PositionalConv>(config));
  layer_norm_ = register_module(
      "layer_norm", std::make_shared<LayerNorm>(config.hidden_size, config.layer_norm_eps));
  auto list = register_module("layers", std::make_shared<Module>());
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    layers_.push_back(std::make_shared<EncoderLayer>(config));
    list->register_module(std::to_string(i), layers_.back());
  }
}

at::Tensor Encoder::forward(const at::Tensor& x, const at::Tensor& frame_mask,
                            std::vector<at::Tensor>* hidden) {
  const auto [speech, key_mask] = hide_padding(x, frame_mask);
  at::Tensor y = speech + positional_->forward(speech);
  if (!norm_first_) y = layer_norm_->forward(y);
  y = apply_dropout(y, hidden_dropout_, is_training());
  if (hidden) hidden->push_back(y);
  for (const auto& layer : layers_) {
    const bool skipped =
        is_training() && layerdrop_ > 0 && at::rand({}).item<double>() < layerdrop_;
    if (!skipped) {
      y = checkpoints_ && is_training() ? forward_checkpointed(layer, y, key_mask)
                                        : layer->forward(y, key_mask);
    }
    if (hidden) hidden->push_back(y);
  }
  return norm_first_ ? layer_norm_->forward(y) : y;
}

}  // namespace flowqat::model

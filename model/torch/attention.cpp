#include "model/torch/attention.h"

namespace flowqat::model {

Attention::Attention(const Config& config)
    : heads_(config.num_attention_heads), dropout_(config.attention_dropout) {
  const int64_t hidden = config.hidden_size;
  k_ = register_module("k_proj", std::make_shared<LinearLayer>(hidden, hidden));
  v_ = register_module("v_proj", std::make_shared<LinearLayer>(hidden, hidden));
  q_ = register_module("q_proj", std::make_shared<LinearLayer>(hidden, hidden));
  out_ = register_module("out_proj", std::make_shared<LinearLayer>(hidden, hidden));
}

torch::Tensor Attention::forward(const torch::Tensor& x, const torch::Tensor& key_mask) {
  const int64_t rows = x.size(0), frames = x.size(1), hidden = x.size(2);
  const auto split_heads = [&](const torch::Tensor& y) {
    return y.view({rows, frames, heads_, hidden / heads_}).transpose(1, 2);
  };
  const torch::Tensor q = split_heads(q_->forward(x));
  const torch::Tensor k = split_heads(k_->forward(x));
  const torch::Tensor v = split_heads(v_->forward(x));
  std::optional<torch::Tensor> mask;
  if (key_mask.defined()) mask = key_mask;
  const torch::Tensor mixed =
      at::scaled_dot_product_attention(q, k, v, mask, is_training() ? dropout_ : 0.0);
  return out_->forward(mixed.transpose(1, 2).reshape({rows, frames, hidden}));
}

}  // namespace flowqat::model

#include "model/torch/network/attention.h"

#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>

#include <cmath>
#include <limits>
#include <vector>

#include "model/torch/operators/device_product.h"
#include "model/torch/operators/dropout.h"

namespace flowqat::model {

Attention::Attention(const Config& config)
    : heads_(config.num_attention_heads), dropout_(config.attention_dropout) {
  const int64_t hidden = config.hidden_size;
  k_ = register_module("k_proj", std::make_shared<LinearLayer>(hidden, hidden));
  v_ = register_module("v_proj", std::make_shared<LinearLayer>(hidden, hidden));
  q_ = register_module("q_proj", std::make_shared<LinearLayer>(hidden, hidden));
  out_ = register_module("out_proj", std::make_shared<LinearLayer>(hidden, hidden));
}

at::Tensor Attention::forward(const at::Tensor& x, const at::Tensor& key_mask) {
  const int64_t rows = x.size(0), frames = x.size(1), hidden = x.size(2);
  const auto split_heads = [&](const at::Tensor& y) {
    return y.view({rows, frames, heads_, hidden / heads_}).transpose(1, 2);
  };
  const auto qkv = LinearLayer::forward_all({q_.get(), k_.get(), v_.get()}, x);
  const at::Tensor q = split_heads(qkv[0]), k = split_heads(qkv[1]), v = split_heads(qkv[2]);
  return out_->forward(mix(q, k, v, key_mask).transpose(1, 2).reshape({rows, frames, hidden}));
}

at::Tensor Attention::mix(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                          const at::Tensor& key_mask) const {
  const double p = is_training() ? dropout_ : 0;
  if (p == 0 || !q.is_cpu()) {
    std::optional<at::Tensor> mask;
    if (key_mask.defined()) mask = key_mask;
    // In 16 bits there is a kernel that keeps no scores (FlashAttention, arXiv:2307.08691, which
    // takes no mask); its sums and softmax are float32.
    const at::ScalarType type = q.is_cpu() ? at::kFloat : device_factors().value_or(at::kFloat);
    return at::scaled_dot_product_attention(q.to(type), k.to(type), v.to(type), mask, p)
        .to(at::kFloat);
  }
  // That operation has no kernel for dropout on the CPU: it does the same, but draws on one thread.
  at::Tensor scores = at::matmul(q / std::sqrt(static_cast<double>(q.size(3))), k.transpose(2, 3));
  if (key_mask.defined()) {
    scores = scores.masked_fill(key_mask.logical_not(), -std::numeric_limits<float>::infinity());
  }
  return at::matmul(apply_dropout(at::softmax(scores, /*dim=*/-1), p, true), v);
}

}  // namespace flowqat::model

#pragma once
#include <torch/torch.h>

#include <memory>

#include "model/config.h"
#include "model/torch/network/attention.h"
#include "model/torch/network/layers.h"

namespace flowqat::model {

/// Linear, activation, dropout, linear, dropout, added to a residual.
class FeedForward : public torch::nn::Module {
 public:
  explicit FeedForward(const Config& config);
  /// Both [rows, frames, hidden].
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& residual);

 private:
  friend class FastEncoder;

  Activation activation_;
  double activation_dropout_, hidden_dropout_;
  std::shared_ptr<LinearLayer> intermediate_, output_;
};

/// A transformer layer in one of two orders, as do_stable_layer_norm says:
///   false (base)   x <- norm(x + dropout(attention(x))), x <- norm'(x + feed_forward(x))
///   true (large)   x <- x + dropout(attention(norm(x))), x <- x + feed_forward(norm'(x))
/// the second of which trains more steadily when layers are many (arXiv:2002.04745).
class EncoderLayer : public torch::nn::Module {
 public:
  explicit EncoderLayer(const Config& config);
  /// x: [rows, frames, hidden]; key_mask as Attention takes it.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& key_mask);

 private:
  friend class FastEncoder;

  bool norm_first_;
  double hidden_dropout_;
  std::shared_ptr<Attention> attention_;
  torch::nn::LayerNorm layer_norm_{nullptr};
  std::shared_ptr<FeedForward> feed_forward_;
  torch::nn::LayerNorm final_layer_norm_{nullptr};
};

}  // namespace flowqat::model

#pragma once
#include <torch/torch.h>

#include <memory>

#include "model/config.h"
#include "model/torch/attention.h"
#include "model/torch/layers.h"

namespace flowqat::model {

/// Linear, exact GELU, dropout, linear, dropout.
class FeedForward : public torch::nn::Module {
 public:
  explicit FeedForward(const Config& config);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  double activation_dropout_, hidden_dropout_;
  std::shared_ptr<LinearLayer> intermediate_, output_;
};

/// A transformer layer that normalizes behind each residual sum (the base family's order):
/// x <- norm(x + dropout(attention(x))), x <- norm(x + feed_forward(x)).
class EncoderLayer : public torch::nn::Module {
 public:
  explicit EncoderLayer(const Config& config);
  /// x: [rows, frames, hidden]; key_mask as Attention takes it.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& key_mask);

 private:
  double hidden_dropout_;
  std::shared_ptr<Attention> attention_;
  torch::nn::LayerNorm layer_norm_{nullptr};
  std::shared_ptr<FeedForward> feed_forward_;
  torch::nn::LayerNorm final_layer_norm_{nullptr};
};

}  // namespace flowqat::model

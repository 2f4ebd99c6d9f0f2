#pragma once
#include <memory>

#include "model/config.h"
#include "model/torch/base/tensor.h"
#include "model/torch/network/attention.h"
#include "model/torch/network/layers.h"
#include "model/torch/network/norms.h"

namespace flowqat::model {

/// Linear, activation, dropout, linear, dropout, added to a residual.
class FeedForward : public Module {
 public:
  explicit FeedForward(const Config& config);
  /// Both [rows, frames, hidden].
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual);

 private:
  Activation activation_;
  double activation_dropout_, hidden_dropout_;
  std::shared_ptr<LinearLayer> intermediate_, output_;
};

/// A transformer layer in one of two orders, as do_stable_layer_norm says:
///   false (base)   x <- norm(x + dropout(attention(x))), x <- norm'(x + feed_forward(x))
///   true (large)   x <- x + dropout(attention(norm(x))), x <- x + feed_forward(norm'(x))
/// the second of which trains more steadily when layers are many (arXiv:2002.04745).
class EncoderLayer : public Module {
 public:
  explicit EncoderLayer(const Config& config);
  /// x: [rows, frames, hidden]; key_mask as Attention takes it.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& key_mask);

 private:
  bool norm_first_;
  double hidden_dropout_;
  std::shared_ptr<Attention> attention_;
  std::shared_ptr<LayerNorm> layer_norm_;
  std::shared_ptr<FeedForward> feed_forward_;
  std::shared_ptr<LayerNorm> final_layer_norm_;
};

}  // namespace flowqat::model

#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "model/torch/base/tensor.h"
#include "model/torch/fast/positional_conv.h"
#include "model/torch/int8/byte_norm.h"
#include "model/torch/int8/product.h"
#include "model/torch/network/encoder.h"

namespace flowqat::model {

/// The encoder of an int8 model in evaluation: between int8 layers activations stay in uint8, norms
/// write what their readers take, and the residual sums are float32. Attention and feed-forward are
/// each fast where all of their layers have fast products, and else run as they are. Shares the
/// layers; immutable; only where has_vnni().
class FastEncoder {
 public:
  explicit FastEncoder(const Encoder::Parts& encoder);
  /// As Encoder::forward() in evaluation.
  at::Tensor run(const at::Tensor& x, const at::Tensor& frame_mask) const;

 private:
  struct FastAttention {
    std::shared_ptr<const FastInt8> q, k, v, out;
    std::optional<ActivationScale> input;  ///< where queries, keys and values share it
    int64_t heads;
  };
  struct FastFeedForward {
    std::shared_ptr<const FastInt8> intermediate, output;
    ByteTable activation;
  };
  struct Layer {
    std::shared_ptr<EncoderLayer> layer;
    std::optional<FastAttention> attention;
    std::optional<FastFeedForward> feed_forward;
  };
  static Layer make_layer(const std::shared_ptr<EncoderLayer>& layer);

  // A layer's two halves are counted through: attention is even, feed-forward odd.
  const LayerNorm& norm_of(size_t half) const;
  /// The grid of the bytes that a half takes; null where it takes floats, and behind the last half.
  const ActivationScale* input_of(size_t half) const;
  /// What is to be summed and normed after a half: `residual` and what the half adds to it.
  AddNorm run_half(size_t half, const Normed& in, const at::Tensor& residual,
                   const at::Tensor& key_mask) const;
  AddNorm attend(const Layer& layer, const Normed& in, const at::Tensor& residual,
                 const at::Tensor& key_mask) const;
  AddNorm feed_forward(const Layer& layer, const Normed& in, const at::Tensor& residual) const;
  at::Tensor run_norm_first(AddNorm x, const at::Tensor& key_mask) const;
  at::Tensor run_norm_last(const AddNorm& x, const at::Tensor& key_mask) const;

  bool norm_first_;
  std::shared_ptr<PositionalConv> positional_;
  std::optional<FastPositionalConv> float_positional_;  ///< where that convolution stayed float
  std::shared_ptr<const LayerNorm> norm_;
  std::vector<Layer> layers_;
};

}  // namespace flowqat::model

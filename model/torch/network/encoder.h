#pragma once
#include <torch/torch.h>

#include <memory>
#include <vector>

#include "model/config.h"
#include "model/torch/network/encoder_layer.h"
#include "model/torch/network/positional_conv.h"

namespace flowqat::model {

/// Positional convolution, dropout and the transformer layers; a norm before them or, with
/// do_stable_layer_norm, behind them.
class Encoder : public torch::nn::Module {
 public:
  explicit Encoder(const Config& config);
  /// x: [rows, frames, hidden]. frame_mask: undefined, or bool [rows, frames], true for speech: the
  /// other frames are zeroed before the positional convolution and never attended to.
  ///
  /// In training each layer is skipped with probability layerdrop (arXiv:1909.11556), drawn from
  /// the CPU's default generator, on whatever device the layers are.
  ///
  /// `hidden`, where it is given, receives the first layer's input and every layer's output.
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& frame_mask,
                        std::vector<torch::Tensor>* hidden = nullptr);
  PositionalConv& positional_conv() { return *positional_; }

 private:
  friend class FastEncoder;

  bool norm_first_;
  double hidden_dropout_, layerdrop_;
  std::shared_ptr<PositionalConv> positional_;
  torch::nn::LayerNorm layer_norm_{nullptr};
  std::vector<std::shared_ptr<EncoderLayer>> layers_;
};

}  // namespace flowqat::model

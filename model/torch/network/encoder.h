#pragma once
#include <memory>
#include <vector>

#include "model/config.h"
#include "model/torch/base/tensor.h"
#include "model/torch/network/encoder_layer.h"
#include "model/torch/network/norms.h"
#include "model/torch/network/positional_conv.h"

namespace flowqat::model {

/// Positional convolution, dropout and the transformer layers; a norm before them or, with
/// do_stable_layer_norm, behind them.
class Encoder : public Module {
 public:
  explicit Encoder(const Config& config);
  /// x: [rows, frames, hidden]. frame_mask: undefined, or bool [rows, frames], true for speech: the
  /// other frames are zeroed before the positional convolution and never attended to.
  ///
  /// In training each layer is skipped with probability layerdrop (arXiv:1909.11556), drawn from
  /// the CPU's default generator, on whatever device the layers are.
  ///
  /// `hidden`, where it is given, receives the first layer's input and every layer's output.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& frame_mask,
                     std::vector<at::Tensor>* hidden = nullptr);
  PositionalConv& positional_conv() { return *positional_; }
  /// Whether training keeps only the layers' inputs, as forward_checkpointed() does.
  void set_gradient_checkpointing(bool on) { checkpoints_ = on; }

 private:
  bool norm_first_;
  bool checkpoints_ = false;
  double hidden_dropout_, layerdrop_;
  std::shared_ptr<PositionalConv> positional_;
  std::shared_ptr<LayerNorm> layer_norm_;
  std::vector<std::shared_ptr<EncoderLayer>> layers_;
};

}  // namespace flowqat::model

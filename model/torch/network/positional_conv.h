/// Where a frame stands, told by a wide grouped convolution over its neighbours (wav2vec 2.0,
/// arXiv:2006.11477, section 2, "relative positional embedding").
#pragma once
#include <memory>

#include "model/config.h"
#include "model/torch/base/tensor.h"
#include "model/torch/network/layers.h"

namespace flowqat::model {

class PositionalConv : public Module {
 public:
  explicit PositionalConv(const Config& config);
  /// [rows, frames, hidden] -> the same shape.
  at::Tensor forward(const at::Tensor& x);
  PositionalConv1dLayer& conv() { return *conv_; }

 private:
  bool makes_one_too_many_;
  Activation activation_;
  std::shared_ptr<PositionalConv1dLayer> conv_;
};

}  // namespace flowqat::model

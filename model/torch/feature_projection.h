#pragma once
#include <torch/torch.h>

#include "model/config.h"

namespace flowqat::model {

/// Layer norm, linear map to the encoder's width, dropout.
class FeatureProjection : public torch::nn::Module {
 public:
  explicit FeatureProjection(const Config& config);
  /// [rows, frames, channels] -> [rows, frames, hidden].
  torch::Tensor forward(const torch::Tensor& features);
  torch::nn::Linear projection() const { return projection_; }

 private:
  double dropout_;
  torch::nn::LayerNorm layer_norm_{nullptr};
  torch::nn::Linear projection_{nullptr};
};

}  // namespace flowqat::model

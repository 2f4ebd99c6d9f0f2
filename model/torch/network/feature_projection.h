#pragma once
#include <torch/torch.h>

#include <memory>

#include "model/config.h"
#include "model/torch/network/layers.h"

namespace flowqat::model {

/// Layer norm, linear map to the encoder's width, dropout.
class FeatureProjection : public torch::nn::Module {
 public:
  explicit FeatureProjection(const Config& config);
  /// [rows, frames, channels] -> [rows, frames, hidden].
  torch::Tensor forward(const torch::Tensor& features);
  LinearLayer& projection() { return *projection_; }

 private:
  double dropout_;
  torch::nn::LayerNorm layer_norm_{nullptr};
  std::shared_ptr<LinearLayer> projection_;
};

}  // namespace flowqat::model

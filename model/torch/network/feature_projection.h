#pragma once
#include <memory>

#include "model/config.h"
#include "model/torch/base/tensor.h"
#include "model/torch/network/layers.h"
#include "model/torch/network/norms.h"

namespace flowqat::model {

/// Layer norm, linear map to the encoder's width, dropout.
class FeatureProjection : public Module {
 public:
  explicit FeatureProjection(const Config& config);
  /// [rows, frames, channels] -> [rows, frames, hidden].
  at::Tensor forward(const at::Tensor& features);
  LinearLayer& projection() { return *projection_; }

 private:
  double dropout_;
  std::shared_ptr<LayerNorm> layer_norm_;
  std::shared_ptr<LinearLayer> projection_;
};

}  // namespace flowqat::model

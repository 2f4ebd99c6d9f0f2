#include "model/torch/network/feature_projection.h"

#include "model/torch/operators/dropout.h"

namespace flowqat::model {

FeatureProjection::FeatureProjection(const Config& config) : dropout_(config.feat_proj_dropout) {
  const int64_t channels = config.conv_dim.back();
  layer_norm_ =
      register_module("layer_norm", std::make_shared<LayerNorm>(channels, config.layer_norm_eps));
  projection_ =
      register_module("projection", std::make_shared<LinearLayer>(channels, config.hidden_size));
}

at::Tensor FeatureProjection::forward(const at::Tensor& features) {
  const at::Tensor projected = projection_->forward(layer_norm_->forward(features));
  return apply_dropout(projected, dropout_, is_training());
}

}  // namespace flowqat::model

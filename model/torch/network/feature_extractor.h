/// From samples to features: strided convolutions (wav2vec 2.0, arXiv:2006.11477, section 2).
#pragma once
#include <memory>
#include <vector>

#include "model/config.h"
#include "model/torch/base/tensor.h"
#include "model/torch/network/layers.h"
#include "model/torch/network/norms.h"

namespace flowqat::model {

/// Convolution, norm, activation. By configuration the norm is a group norm over time (of the first
/// layer only: a group a channel) or a layer norm over the channels of each frame.
class FeatureConvolution : public Module {
 public:
  FeatureConvolution(const Config& config, size_t index);
  at::Tensor forward(const at::Tensor& x);

 private:
  std::shared_ptr<Conv1dLayer> conv_;
  std::shared_ptr<GroupNorm> group_norm_;
  std::shared_ptr<LayerNorm> layer_norm_;
  Activation activation_;
};

class FeatureExtractor : public Module {
 public:
  explicit FeatureExtractor(const Config& config);
  /// [rows, samples] -> [rows, channels, frames].
  at::Tensor forward(const at::Tensor& samples);

  const std::vector<std::shared_ptr<FeatureConvolution>>& layers() const { return layers_; }

 private:
  std::vector<std::shared_ptr<FeatureConvolution>> layers_;
};

}  // namespace flowqat::model

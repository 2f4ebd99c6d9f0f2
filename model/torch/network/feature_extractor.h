/// From samples to features: strided convolutions (wav2vec 2.0, arXiv:2006.11477, section 2).
#pragma once
#include <torch/torch.h>

#include <memory>
#include <vector>

#include "model/config.h"
#include "model/torch/network/layers.h"

namespace flowqat::model {

/// Convolution, norm, activation. By configuration the norm is a group norm over time (of the first
/// layer only: a group a channel) or a layer norm over the channels of each frame.
class FeatureConvolution : public torch::nn::Module {
 public:
  FeatureConvolution(const Config& config, size_t index);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  friend class FastFeatureExtractor;

  std::shared_ptr<Conv1dLayer> conv_;
  torch::nn::GroupNorm group_norm_{nullptr};
  torch::nn::LayerNorm layer_norm_{nullptr};
  Activation activation_;
};

class FeatureExtractor : public torch::nn::Module {
 public:
  explicit FeatureExtractor(const Config& config);
  /// [rows, samples] -> [rows, channels, frames].
  torch::Tensor forward(const torch::Tensor& samples);

 private:
  friend class FastFeatureExtractor;

  std::vector<std::shared_ptr<FeatureConvolution>> layers_;
};

}  // namespace flowqat::model

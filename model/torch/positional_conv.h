/// Where a frame stands, told by a wide grouped convolution over its neighbours (wav2vec 2.0,
/// arXiv:2006.11477, section 2, "relative positional embedding").
#pragma once
#include <torch/torch.h>

#include <memory>

#include "model/config.h"

namespace flowqat::model {

/// The weight as weight norm stores it (arXiv:1602.07868): w = g v / ||v||, the norm over the
/// output and input channels, one gain a tap of the kernel.
class WeightNormedKernel : public torch::nn::Module {
 public:
  WeightNormedKernel(int64_t channels, int64_t kernel, int64_t groups);
  torch::Tensor weight() const;
  const torch::Tensor& bias() const { return bias_; }
  /// Sets v to `weight` and g to its norm.
  void set_weight(const torch::Tensor& weight);

 private:
  torch::Tensor weight_g_;  // [1, 1, kernel]
  torch::Tensor weight_v_;  // [channels, channels / groups, kernel]
  torch::Tensor bias_;      // [channels]
};

class PositionalConv : public torch::nn::Module {
 public:
  explicit PositionalConv(const Config& config);
  /// [rows, frames, hidden] -> the same shape.
  torch::Tensor forward(const torch::Tensor& x);
  WeightNormedKernel& kernel() { return *conv_; }

 private:
  friend class FastEncoder;

  int64_t kernel_size_, groups_;
  Activation activation_;
  std::shared_ptr<WeightNormedKernel> conv_;
};

}  // namespace flowqat::model

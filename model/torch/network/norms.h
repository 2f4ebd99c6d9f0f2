/// The norms as modules: their parameters, and what they compute with them.
#pragma once
#include <cstdint>

#include "model/torch/base/module.h"
#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// What both norms have. Weights begin as 1, biases as 0.
class Norm : public Module {
 public:
  at::Tensor weight, bias;  ///< float32 [channels]

  double epsilon() const { return epsilon_; }
  /// Back to 1 and 0, in place.
  void reset();

 protected:
  Norm(int64_t channels, double epsilon);

 private:
  double epsilon_;
};

/// Over the channels of each frame (arXiv:1607.06450).
class LayerNorm : public Norm {
 public:
  explicit LayerNorm(int64_t channels, double epsilon = 1e-5) : Norm(channels, epsilon) {}
  /// [..., channels] -> the same shape.
  at::Tensor forward(const at::Tensor& x) const;
};

/// Over time, a group a channel (arXiv:1803.08494).
class GroupNorm : public Norm {
 public:
  explicit GroupNorm(int64_t channels, double epsilon = 1e-5) : Norm(channels, epsilon) {}
  /// [rows, channels, frames] -> the same shape.
  at::Tensor forward(const at::Tensor& x) const;
};

}  // namespace flowqat::model

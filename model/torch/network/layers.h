/// The layers that can be quantized. They are plain modules held by std::shared_ptr:
///   q_proj = register_module("q_proj", std::make_shared<LinearLayer>(768, 768));
#pragma once
#include <cstdint>
#include <vector>

#include "model/torch/base/tensor.h"
#include "model/torch/quantization/quantizable_layer.h"

namespace flowqat::model {

/// No padding, no dilation, one group: a convolution of wav2vec2's feature extractor. Parameters
/// are zero until they are loaded or initialized.
class Conv1dLayer : public QuantizableLayer {
 public:
  Conv1dLayer(int64_t in, int64_t out, int64_t kernel, int64_t stride, bool bias);
  /// [batch, in, frames] -> [batch, out, (frames - kernel) / stride + 1].
  at::Tensor forward(const at::Tensor& x) { return run(x); }

 protected:
  at::Tensor compute(const at::Tensor& x, const at::Tensor& weight,
                     const Grids& grids) const override;
  Int8Geometry geometry() const override;

 private:
  int64_t stride_;
};

/// With bias. Parameters are zero until they are loaded or initialized.
class LinearLayer : public QuantizableLayer {
 public:
  LinearLayer(int64_t in, int64_t out);
  /// [..., in] -> [..., out].
  at::Tensor forward(const at::Tensor& x) { return run(x); }
  /// What each of them makes of the same input. Where they share it, it is rounded once, and on
  /// another device than the CPU all are one product.
  static std::vector<at::Tensor> forward_all(const std::vector<LinearLayer*>& layers,
                                             const at::Tensor& x);

 protected:
  at::Tensor compute(const at::Tensor& x, const at::Tensor& weight,
                     const Grids& grids) const override;
  Int8Geometry geometry() const override;
};

/// A grouped convolution with weight norm that pads by half of its kernel on both sides: the
/// positional one. The gains begin as 1, the directions too.
class PositionalConv1dLayer : public QuantizableLayer {
 public:
  PositionalConv1dLayer(int64_t channels, int64_t kernel, int64_t groups);
  /// [batch, channels, frames] -> [batch, channels, frames], and one more for an even kernel.
  at::Tensor forward(const at::Tensor& x) { return run(x); }
  /// Sets v to `value` and g to its norm.
  void set_weight(const at::Tensor& value);
  int64_t groups() const { return groups_; }

 protected:
  at::Tensor compute(const at::Tensor& x, const at::Tensor& weight,
                     const Grids& grids) const override;
  Int8Geometry geometry() const override;

 private:
  int64_t padding_, groups_;
};

}  // namespace flowqat::model

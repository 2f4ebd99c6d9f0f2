#include "model/torch/layers.h"

#include "model/torch/conv_frames.h"
#include "model/torch/linear.h"

namespace flowqat::model {

Conv1dLayer::Conv1dLayer(int64_t in, int64_t out, int64_t kernel, int64_t stride, bool bias)
    : QuantizableLayer("conv1d", {out, in, kernel}, bias), stride_(stride) {}

torch::Tensor Conv1dLayer::compute(const torch::Tensor& x, const torch::Tensor& w) const {
  if (has_conv_frames(x, w)) return conv_frames(x, w, bias, stride_);
  return torch::conv1d(x, w, bias, stride_);
}

Int8Geometry Conv1dLayer::geometry() const { return {.stride = stride_}; }

LinearLayer::LinearLayer(int64_t in, int64_t out) : QuantizableLayer("linear", {out, in}, true) {}

torch::Tensor LinearLayer::compute(const torch::Tensor& x, const torch::Tensor& w) const {
  return apply_linear(x, w, bias);
}

Int8Geometry LinearLayer::geometry() const { return {}; }

}  // namespace flowqat::model

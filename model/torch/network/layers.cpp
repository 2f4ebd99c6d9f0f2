#include "model/torch/network/layers.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/conv1d.h>

#include <algorithm>

#include "model/torch/operators/conv_frames.h"
#include "model/torch/operators/device_product.h"
#include "model/torch/operators/grouped_conv.h"
#include "model/torch/operators/linear.h"

namespace flowqat::model {

Conv1dLayer::Conv1dLayer(int64_t in, int64_t out, int64_t kernel, int64_t stride, bool bias)
    : QuantizableLayer("conv1d", {out, in, kernel}, bias), stride_(stride) {}

at::Tensor Conv1dLayer::compute(const at::Tensor& x, const at::Tensor& w,
                                const Grids& grids) const {
  if (has_conv_frames(x, w)) return conv_frames(x, w, bias, stride_, grids);
  if (has_device_product(x, w) && x.size(2) >= w.size(2)) {
    return device_conv(x, w, bias, stride_, grids);
  }
  return at::conv1d(x, w, bias, stride_);
}

Int8Geometry Conv1dLayer::geometry() const { return {.stride = stride_}; }

LinearLayer::LinearLayer(int64_t in, int64_t out) : QuantizableLayer("linear", {out, in}, true) {}

at::Tensor LinearLayer::compute(const at::Tensor& x, const at::Tensor& w,
                                const Grids& grids) const {
  return apply_linear(x, w, bias, grids);
}

Int8Geometry LinearLayer::geometry() const { return {}; }

std::vector<at::Tensor> LinearLayer::forward_all(const std::vector<LinearLayer*>& layers,
                                                 const at::Tensor& x) {
  LinearLayer& first = *layers.front();
  std::vector<at::Tensor> outputs;
  if (!std::ranges::all_of(layers, [&](const LinearLayer* layer) {
        return layer->shares_input_with(first) && !layer->is_watched();
      })) {
    for (LinearLayer* const layer : layers) outputs.push_back(layer->run(x));
    return outputs;
  }
  const at::Tensor input = first.input_on_grid(x);
  if (x.is_cpu()) {
    // Products of this size lose nothing by being several there, and the weights stay in place.
    for (LinearLayer* const layer : layers) {
      const at::Tensor weight = layer->weight_on_grid();
      outputs.push_back(layer->output_on_grid(layer->compute(input, weight, layer->grids())));
    }
    return outputs;
  }
  std::vector<at::Tensor> weights, biases, steps;
  std::vector<int64_t> sizes;
  for (LinearLayer* const layer : layers) {
    weights.push_back(layer->weight_on_grid());
    biases.push_back(layer->bias);
    sizes.push_back(layer->weight_shape().front());
    const at::Tensor step = layer->grids().weight_step;
    if (step.defined()) steps.push_back(step.expand({sizes.back()}));
  }
  const Grids grids{first.grids().input_step, steps.empty() ? at::Tensor() : at::cat(steps)};
  const at::Tensor joined = apply_linear(input, at::cat(weights), at::cat(biases), grids);
  outputs = joined.split_with_sizes(sizes, -1);
  for (size_t i = 0; i < layers.size(); ++i) outputs[i] = layers[i]->output_on_grid(outputs[i]);
  return outputs;
}

PositionalConv1dLayer::PositionalConv1dLayer(int64_t channels, int64_t kernel, int64_t groups)
    : QuantizableLayer("positional conv1d", {channels, channels / groups, kernel}, true,
                       Norm::weight),
      padding_(kernel / 2),
      groups_(groups) {}

void PositionalConv1dLayer::set_weight(const at::Tensor& value) {
  const at::NoGradGuard no_grad;
  weight_v.copy_(value);
  weight_g.copy_(value.square().sum(at::IntArrayRef{0, 1}, /*keepdim=*/true).sqrt());
}

at::Tensor PositionalConv1dLayer::compute(const at::Tensor& x, const at::Tensor& w,
                                          const Grids& grids) const {
  if (has_grouped_conv(x, w)) return grouped_conv(x, w, bias, padding_, groups_, grids);
  return at::conv1d(x, w, bias, /*stride=*/1, padding_, /*dilation=*/1, groups_);
}

Int8Geometry PositionalConv1dLayer::geometry() const {
  return {.stride = 1, .padding = padding_, .groups = groups_};
}

}  // namespace flowqat::model

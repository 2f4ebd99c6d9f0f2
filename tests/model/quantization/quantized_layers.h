/// Layers of several shapes, calibrated and converted, for the tests of quantization.
#pragma once
#include <ATen/ops/fake_quantize_per_tensor_affine.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/packed_weights.h"
#include "model/torch/base/tensor.h"
#include "model/torch/network/layers.h"
#include "model/torch/quantization/layer_json.h"
#include "tests/catch.h"

namespace flowqat::model::testing {

/// A kind of layer and an input for it.
struct Shape {
  std::string name;
  std::function<std::shared_ptr<QuantizableLayer>()> make;
  std::vector<int64_t> input;
};

inline at::Tensor forward(QuantizableLayer& layer, const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  if (auto* conv = dynamic_cast<Conv1dLayer*>(&layer)) return conv->forward(x);
  return dynamic_cast<LinearLayer&>(layer).forward(x);
}

inline Shape conv(int64_t in, int64_t out, int64_t kernel, int64_t stride, bool bias, int64_t batch,
                  int64_t frames) {
  return {"conv1d " + std::to_string(in) + " -> " + std::to_string(out) + ", kernel " +
              std::to_string(kernel) + (bias ? ", bias" : ", no bias"),
          [=] { return std::make_shared<Conv1dLayer>(in, out, kernel, stride, bias); },
          {batch, in, frames}};
}

inline Shape linear(int64_t in, int64_t out, std::vector<int64_t> rows) {
  rows.push_back(in);
  return {"linear " + std::to_string(in) + " -> " + std::to_string(out),
          [=] { return std::make_shared<LinearLayer>(in, out); }, rows};
}

inline std::vector<Shape> shapes() {
  return {conv(1, 16, 10, 5, false, 2, 403),
          conv(1, 7, 10, 5, true, 1, 57),
          conv(16, 24, 3, 2, false, 3, 41),
          conv(24, 9, 3, 2, true, 2, 33),
          conv(8, 8, 2, 2, false, 1, 2),
          linear(24, 40, {2, 7}),
          linear(5, 3, {1, 1}),
          linear(33, 1, {3, 5})};
}

inline std::shared_ptr<QuantizableLayer> float_layer(const Shape& shape) {
  const at::NoGradGuard no_grad;
  auto layer = shape.make();
  layer->weight.normal_(0, 0.3);
  if (layer->bias.defined()) layer->bias.normal_(0, 0.5);
  return layer;
}

inline at::Tensor input(const Shape& shape) { return at::gelu(2 * at::randn(shape.input)); }

inline std::shared_ptr<QuantizableLayer> calibrated_layer(const Shape& shape,
                                                          const LayerScheme& scheme) {
  auto layer = float_layer(shape);
  layer->insert_fake_quantizers(scheme);
  for (int batch = 0; batch < 3; ++batch) forward(*layer, input(shape));
  layer->set_fake_quantization(true);
  layer->set_observers(false, false);
  return layer;
}

inline std::shared_ptr<QuantizableLayer> copy_of(const Shape& shape,
                                                 const QuantizableLayer& layer) {
  auto copy = shape.make();
  copy->copy_from(layer);
  return copy;
}

inline std::shared_ptr<QuantizableLayer> converted(const Shape& shape,
                                                   const QuantizableLayer& layer) {
  auto int8 = copy_of(shape, layer);
  int8->convert_to_int8();
  return int8;
}

/// `x` on the grid of the layer's input, so that quantizing it again changes nothing.
inline at::Tensor on_input_grid(const at::Tensor& x, const nlohmann::json& state) {
  const float scale = state["input"]["scale"];
  const int64_t zero_point = state["input"]["zero_point"];
  const auto grid = activation_grid(state["scheme"]["activation_bits"]);
  return at::fake_quantize_per_tensor_affine(x, scale, zero_point, grid.lowest, grid.highest);
}

inline int64_t most_steps_apart(const at::Tensor& a, const at::Tensor& b, float scale) {
  return ((a - b) / scale).round().abs().max().item<int64_t>();
}

/// An int8 layer's weight as a folder holds it.
inline at::Tensor stored(const QuantizableLayer& layer) {
  const at::Tensor weight = layer.int8().kernel->weight();
  if (!are_packed(layer.scheme().weight_bits)) return weight;
  const auto packed = pack_weights(
      {weight.const_data_ptr<int8_t>(), static_cast<size_t>(weight.numel())}, weight.size(0));
  return at::tensor(packed, at::kByte).view(packed_shape(weight.sizes().vec()));
}

inline std::shared_ptr<QuantizableLayer> reloaded_int8(const Shape& shape,
                                                       const QuantizableLayer& layer) {
  auto loaded = shape.make();
  std::optional<at::Tensor> bias;
  if (layer.bias.defined()) bias = layer.bias;
  const auto scale =
      layer.scheme().per_channel_weights ? layer.int8().kernel->weight_scale() : at::Tensor();
  const auto state = nlohmann::json::parse(layer_to_json(layer).dump());
  load_int8(*loaded, state, stored(layer), scale, bias);
  return loaded;
}

}  // namespace flowqat::model::testing

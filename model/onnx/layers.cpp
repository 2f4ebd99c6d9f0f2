#include "model/onnx/layers.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

namespace flowqat::model::onnx_export {
namespace {

float scale_at(const LayerState& state, size_t channel) {
  return state.weight_scales[state.weight_scales.size() == 1 ? 0 : channel];
}

/// In units of what an integer product stands for; nothing if it does not fit.
std::optional<std::vector<int32_t>> quantized_bias(const LayerState& state,
                                                   const std::vector<float>& bias) {
  std::vector<int32_t> steps;
  for (size_t channel = 0; channel < bias.size(); ++channel) {
    const float unit = state.input.scale * scale_at(state, channel);
    const double value = std::nearbyint(static_cast<double>(bias[channel]) / unit);
    // Room for the products that are added.
    if (!(std::abs(value) < std::numeric_limits<int32_t>::max() / 2)) return std::nullopt;
    steps.push_back(static_cast<int32_t>(value));
  }
  return steps;
}

std::vector<float> bias_scales(const LayerState& state) {
  std::vector<float> scales;
  for (const float scale : state.weight_scales) scales.push_back(state.input.scale * scale);
  return scales;
}

/// Integer kernels know one zero point for the whole weight.
bool has_one_zero_point(const LayerState& state) {
  return std::ranges::all_of(state.weight_zero_points, [&](int8_t zero_point) {
    return zero_point == state.weight_zero_points.front();
  });
}

/// Whether two products of a byte and a weight can leave 16 bits, in which x86 processors without
/// VNNI add them (vpmaddubsw). Which two meet is the kernel's choice: the greatest do.
bool sums_leave_16_bits(const LayerState& state, int64_t channels) {
  const size_t size = state.weight.size() / static_cast<size_t>(channels);
  for (size_t start = 0; start < state.weight.size(); start += size) {
    int greatest = 0, second = 0;
    for (size_t i = start; i < start + size; ++i) {
      const int magnitude = std::abs(int{state.weight[i]});
      second = std::max(second, std::min(greatest, magnitude));
      greatest = std::max(greatest, magnitude);
    }
    if (state.input.highest * (greatest + second) > std::numeric_limits<int16_t>::max()) {
      return true;
    }
  }
  return false;
}

/// -128..127 as 0..255.
std::vector<uint8_t> raised(const std::vector<int8_t>& values) {
  std::vector<uint8_t> higher;
  higher.reserve(values.size());
  for (const int8_t value : values) higher.push_back(static_cast<uint8_t>(value + 128));
  return higher;
}

Shape shape_of_scales(const LayerState& state) {
  const size_t scales = state.weight_scales.size();
  return scales > 1 ? Shape{static_cast<int64_t>(scales)} : Shape{};
}
Attributes axis_of_scales(const LayerState& state) {
  return state.weight_scales.size() > 1 ? Attributes{{"axis", int64_t{0}}} : Attributes{};
}

/// One element for each output channel.
template <class T>
std::vector<T> per_channel(const std::vector<T>& values, int64_t channels) {
  return values.size() > 1 ? values : std::vector<T>(static_cast<size_t>(channels), values.front());
}

}  // namespace

Value Layers::linear(const std::string& layer, const Value& x, int64_t in, int64_t out) {
  return apply(layer, x,
               {.type = "Gemm",
                .attributes = {{"transB", int64_t{1}}},
                .weight_shape = {out, in},
                .in_channels = in,
                .factor_shape = {1, in},
                .has_bias = true,
                .weight_normed = false});
}

Value Layers::convolution(const std::string& layer, const Value& x, const Convolution& shape) {
  return apply(layer, x,
               {.type = "Conv",
                .attributes = {{"kernel_shape", Shape{shape.kernel}},
                               {"strides", Shape{shape.stride}},
                               {"pads", Shape{shape.pad_begin, shape.pad_end}},
                               {"group", shape.groups}},
                .weight_shape = {shape.out, shape.in / shape.groups, shape.kernel},
                .in_channels = shape.in,
                .factor_shape = {1, shape.in, 1},
                .has_bias = shape.has_bias,
                .weight_normed = shape.weight_normed});
}

Value Layers::apply(const std::string& layer, const Value& x, const Operation& operation) {
  if (states_.has(layer)) return apply_int8(layer, x, operation);
  const std::string weight = layer + ".weight", bias = layer + ".bias";
  const Shape& shape = operation.weight_shape;
  Values inputs{x, graph_.constant(weight, shape,
                                   operation.weight_normed ? weights_.folded(layer, shape)
                                                           : weights_.floats(weight, shape))};
  if (operation.has_bias) {
    inputs.push_back(graph_.constant(bias, {shape[0]}, weights_.floats(bias, {shape[0]})));
  }
  return graph_.node(operation.type, inputs, layer, operation.attributes);
}

Value Layers::apply_int8(const std::string& layer, const Value& x, const Operation& operation) {
  const std::string bias = layer + ".bias";
  const Shape& shape = operation.weight_shape;
  const LayerState state = states_.take(layer, shape, operation.in_channels, weights_);
  std::vector<float> float_bias;
  if (operation.has_bias) float_bias = weights_.floats(bias, {shape[0]});
  const auto bias_steps = quantized_bias(state, float_bias);

  const Value divided = divide(x, state.input_factor, operation.factor_shape, layer);
  Values inputs{dequantize(quantize(divided, state.input, layer + "/input"), state.input,
                           layer + "/input_float")};
  if (has_one_zero_point(state) && bias_steps) {
    inputs.push_back(integer_weight(layer, state, shape));
    if (operation.has_bias) {
      inputs.push_back(graph_.node(
          "DequantizeLinear",
          {graph_.constant(bias, {shape[0]}, *bias_steps),
           graph_.constant(layer + ".bias_scale", shape_of_scales(state), bias_scales(state))},
          layer + "/bias", axis_of_scales(state)));
    }
  } else {
    inputs.push_back(float_weight(layer, state, shape));
    if (operation.has_bias) inputs.push_back(graph_.constant(bias, {shape[0]}, float_bias));
  }
  const Value y = graph_.node(operation.type, inputs, layer, operation.attributes);
  // A shorter grid ends behind what runtimes make one kernel of.
  const Value steps = rounded(y, state.output, layer + "/output");
  return below_end(dequantize(steps, state.output, layer + "/output_float"), state.output,
                   layer + "/output");
}

Value Layers::divide(const Value& x, const std::vector<float>& factor, const Shape& shape,
                     const std::string& layer) {
  if (factor.empty()) return x;
  Value& known = divided_[{x, factor}];
  if (known.empty()) {
    const Value constant = graph_.constant(layer + ".input_factor", shape, factor);
    known = graph_.node("Div", {x, constant}, layer + "/divided");
  }
  return known;
}

Value Layers::integer_weight(const std::string& layer, const LayerState& state,
                             const Shape& shape) {
  const std::string weight = layer + ".weight", zero_point = layer + ".weight_zero_point";
  const Shape scales = shape_of_scales(state);
  Values inputs;
  const bool leaves_16_bits = sums_leave_16_bits(state, shape[0]);
  if (form_.weights == OnnxForm::Weights::int8 || !leaves_16_bits) {
    can_saturate_ |= leaves_16_bits;
    inputs = {graph_.constant(weight, shape, state.weight),
              graph_.constant(zero_point, scales, state.weight_zero_points)};
  } else {
    inputs = {graph_.constant(weight, shape, raised(state.weight)),
              graph_.constant(zero_point, scales, raised(state.weight_zero_points))};
  }
  inputs.insert(inputs.begin() + 1,
                graph_.constant(layer + ".weight_scale", scales, state.weight_scales));
  return graph_.node("DequantizeLinear", inputs, layer + "/weight", axis_of_scales(state));
}

Value Layers::float_weight(const std::string& layer, const LayerState& state, const Shape& shape) {
  Shape apart = shape;
  apart.insert(apart.begin() + 1, 1);
  const int64_t channels = shape[0];
  const Value dequantized =
      graph_.node("DequantizeLinear",
                  {graph_.constant(layer + ".weight", apart, state.weight),
                   graph_.constant(layer + ".weight_scale", {channels},
                                   per_channel(state.weight_scales, channels)),
                   graph_.constant(layer + ".weight_zero_point", {channels},
                                   per_channel(state.weight_zero_points, channels))},
                  layer + "/weight", {{"axis", int64_t{0}}});
  const Value whole =
      graph_.constant(layer + ".weight_shape", {static_cast<int64_t>(shape.size())}, shape);
  return graph_.node("Reshape", {dequantized, whole}, layer + "/float_weight");
}

/// ONNX's grid ends at 255: one of fewer bits is cut off where its highest integer lies.
Value Layers::below_end(const Value& x, const ActivationState& state, const std::string& name) {
  if (state.highest == 255) return x;
  const float end = static_cast<float>(state.highest - state.zero_point) * state.scale;
  const Value highest = graph_.constant(name + ".end", {}, std::vector<float>{end});
  return graph_.node("Min", {x, highest}, name + "/below_end");
}

Values Layers::parameters(const ActivationState& state) {
  Values& known = parameters_[state];
  if (known.empty()) {
    known = {graph_.constant("scale", {}, std::vector<float>{state.scale}),
             graph_.constant("zero_point", {}, std::vector<uint8_t>{state.zero_point})};
  }
  return known;
}

Value Layers::quantize(const Value& x, const ActivationState& state, const std::string& name) {
  Value& known = quantized_[{x, state}];
  if (known.empty()) known = rounded(below_end(x, state, name), state, name);
  return known;
}

Value Layers::rounded(const Value& x, const ActivationState& state, const std::string& name) {
  const Values numbers = parameters(state);
  return graph_.node("QuantizeLinear", {x, numbers[0], numbers[1]}, name);
}

Value Layers::dequantize(const Value& x, const ActivationState& state, const std::string& name) {
  const Values numbers = parameters(state);
  return graph_.node("DequantizeLinear", {x, numbers[0], numbers[1]}, name);
}

}  // namespace flowqat::model::onnx_export

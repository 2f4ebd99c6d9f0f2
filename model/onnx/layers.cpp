#include "model/onnx/layers.h"

#include <algorithm>
#include <cmath>
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

std::vector<float> dequantized(const LayerState& state) {
  const size_t channels = state.weight_scales.size();
  const size_t each = state.weight.size() / channels;
  std::vector<float> values(state.weight.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t channel = i / each;
    values[i] = static_cast<float>(state.weight[i] - state.weight_zero_points[channel]) *
                state.weight_scales[channel];
  }
  return values;
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
  const std::string weight = layer + ".weight", bias = layer + ".bias";
  const Shape& shape = operation.weight_shape;
  const LayerState state = states_.take(layer, shape, operation.in_channels, weights_);
  std::vector<float> float_bias;
  if (operation.has_bias) float_bias = weights_.floats(bias, {shape[0]});
  const auto bias_steps = quantized_bias(state, float_bias);

  Value input = x;
  if (!state.input_factor.empty()) {
    const Value factor =
        graph_.constant(layer + ".input_factor", operation.factor_shape, state.input_factor);
    input = graph_.node("Div", {x, factor}, layer + "/divided");
  }
  Values inputs{dequantize(quantize(input, state.input, layer + "/input"), state.input,
                           layer + "/input_float")};
  if (has_one_zero_point(state) && bias_steps) {
    const bool per_channel = state.weight_scales.size() > 1;
    const Shape scales = per_channel ? Shape{shape[0]} : Shape{};
    const Attributes axis = per_channel ? Attributes{{"axis", int64_t{0}}} : Attributes{};
    inputs.push_back(graph_.node(
        "DequantizeLinear",
        {graph_.constant(weight, shape, state.weight),
         graph_.constant(layer + ".weight_scale", scales, state.weight_scales),
         graph_.constant(layer + ".weight_zero_point", scales, state.weight_zero_points)},
        layer + "/weight", axis));
    if (operation.has_bias) {
      inputs.push_back(
          graph_.node("DequantizeLinear",
                      {graph_.constant(bias, {shape[0]}, *bias_steps),
                       graph_.constant(layer + ".bias_scale", scales, bias_scales(state))},
                      layer + "/bias", axis));
    }
  } else {  // what these integers stand for; runtimes then compute this layer's products in float
    inputs.push_back(graph_.constant(weight, shape, dequantized(state)));
    if (operation.has_bias) inputs.push_back(graph_.constant(bias, {shape[0]}, float_bias));
  }
  const Value y = graph_.node(operation.type, inputs, layer, operation.attributes);
  return dequantize(quantize(y, state.output, layer + "/output"), state.output,
                    layer + "/output_float");
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
  if (known.empty()) {
    const Values numbers = parameters(state);
    known = graph_.node("QuantizeLinear", {x, numbers[0], numbers[1]}, name);
  }
  return known;
}

Value Layers::dequantize(const Value& x, const ActivationState& state, const std::string& name) {
  const Values numbers = parameters(state);
  return graph_.node("DequantizeLinear", {x, numbers[0], numbers[1]}, name);
}

}  // namespace flowqat::model::onnx_export

#include "model/torch/quantization/layer_json.h"

#include <ATen/ops/full.h>
#include <c10/util/StringUtil.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/torch/quantization/quantizer_json.h"

namespace flowqat::model {
namespace {

constexpr int weight_bits = 8;

/// The kind and shape that a tensor to load must have.
void require_tensor(const at::Tensor& tensor, const std::string& name, at::ScalarType type,
                    at::IntArrayRef shape) {
  const auto expected = c10::str(type) + " of " + c10::str(shape);
  if (!tensor.defined()) throw Error(name + ": expected " + expected + ", found no tensor");
  if (tensor.scalar_type() != type || tensor.sizes() != shape)
    throw Error(name + ": expected " + expected + ", found " + c10::str(tensor.scalar_type()) +
                " of " + c10::str(tensor.sizes()));
}

nlohmann::json activation_to_json(const ActivationScale& activation) {
  return {{"scale", activation.scale}, {"zero_point", activation.zero_point}};
}

ActivationScale activation_from_json(const StateReader& layer, const char* key) {
  const auto json = layer.object(key, {"scale", "zero_point"});
  return {json.scale("scale"), json.integer("zero_point", 0, 255)};
}

/// What smoothing divides `channels` channels by, or undefined.
at::Tensor factor_from_json(const StateReader& layer, int64_t channels) {
  if (layer.at("input_factor").is_null()) return {};
  return layer.floats("input_factor", {channels}, smallest_scale, largest_float);
}

nlohmann::json factor_to_json(const InputFactor& factor) {
  return factor.defined() ? tensor_to_json(factor.view({-1})) : nlohmann::json();
}

nlohmann::json fake_to_json(const FakeQuantized& fake) {
  return {{"scheme", choice_to_json(fake.scheme)},
          {"fake_quantization", fake.input->fake_quantization_on()},
          {"observers",
           {{"activations", fake.input->observer_on()}, {"weights", fake.weight->observer_on()}}},
          {"input", quantizer_to_json(*fake.input)},
          {"weight", quantizer_to_json(*fake.weight)},
          {"output", quantizer_to_json(*fake.output)},
          {"input_factor", factor_to_json(fake.input_factor)}};
}

nlohmann::json int8_to_json(const Int8& int8) {
  const Int8Kernel& kernel = *int8.kernel;
  nlohmann::json weight;
  const auto& zero_point = kernel.weight_zero_point();
  weight["zero_point"] = tensor_to_json(zero_point.any().item<bool>() ? zero_point : zero_point[0]);
  if (!int8.scheme.per_channel_weights) weight["scale"] = tensor_to_json(kernel.weight_scale());
  return {{"scheme", choice_to_json(int8.scheme)},
          {"bits", weight_bits},
          {"input", activation_to_json(kernel.input())},
          {"weight", weight},
          {"output", activation_to_json(kernel.output())},
          {"input_factor", factor_to_json(int8.input_factor)}};
}

}  // namespace

nlohmann::json layer_to_json(const QuantizableLayer& layer) {
  if (layer.is_fake_quantized()) return fake_to_json(layer.fake_quantized());
  if (layer.is_int8()) return int8_to_json(layer.int8());
  return nullptr;
}

void load_fake_quantization(QuantizableLayer& layer, const nlohmann::json& state) {
  layer.require_float("load fake quantization");
  const StateReader json(
      state, layer.path(),
      {"scheme", "fake_quantization", "observers", "input", "weight", "output", "input_factor"});
  const auto observers = json.object("observers", {"activations", "weights"});
  const bool activations = observers.boolean("activations"), weights = observers.boolean("weights");
  const bool on = json.boolean("fake_quantization");
  FakeQuantized fake = layer.new_fake_quantizers(scheme_from_json(json, "scheme"));
  quantizer_from_json(json, "input", *fake.input);
  quantizer_from_json(json, "weight", *fake.weight);
  quantizer_from_json(json, "output", *fake.output);
  fake.input_factor = factor_from_json(json, layer.weight_shape()[1]);
  if (fake.input_factor.defined()) {
    fake.input_factor = fake.input_factor.to(layer.float_weight().device());
  }
  if (on && !fake.observed())
    json.fail("fake_quantization", "false while a \"min\" and \"max\" are null");
  layer.fake_quantize(fake);
  layer.set_observers(activations, weights);
  // Not through set_fake_quantization(), which would compute the scales anew.
  for (const auto& quantizer : {fake.input, fake.weight, fake.output}) {
    auto loaded = quantizer->state();
    loaded.fake_quantization_on = on;
    quantizer->load_state(loaded);
  }
}

void load_int8(QuantizableLayer& layer, const nlohmann::json& state, const at::Tensor& int8_weight,
               const at::Tensor& weight_scale, const std::optional<at::Tensor>& bias) {
  layer.require_float("load int8 weights");
  const std::string& path = layer.path();
  const std::vector<int64_t>& shape = layer.weight_shape();
  const StateReader json(state, path,
                         {"scheme", "bits", "input", "weight", "output", "input_factor"});
  const auto scheme = scheme_from_json(json, "scheme");
  json.integer("bits", weight_bits, weight_bits);
  const std::vector<int64_t> channels{scheme.per_channel_weights ? shape[0] : 1};
  Int8Parameters parameters;
  parameters.engine = scheme.engine;
  parameters.input = activation_from_json(json, "input");
  parameters.output = activation_from_json(json, "output");
  const at::Tensor factor = factor_from_json(json, shape[1]);

  const auto weight_json = scheme.per_channel_weights
                               ? json.object("weight", {"zero_point"})
                               : json.object("weight", {"scale", "zero_point"});
  const bool one_zero_point = !weight_json.at("zero_point").is_array();
  parameters.weight_zero_point =
      weight_json.integers("zero_point", one_zero_point ? 1 : channels[0], -128, 127)
          .expand(channels)
          .contiguous();
  if (scheme.per_channel_weights) {
    require_tensor(weight_scale, path + ".weight_scale", at::kFloat, channels);
    parameters.weight_scale = weight_scale.cpu();
    const auto usable =
        (parameters.weight_scale >= smallest_scale).logical_and(parameters.weight_scale.isfinite());
    if (!usable.all().item<bool>())
      throw Error(path + ".weight_scale: expected only finite values above 0");
  } else {
    parameters.weight_scale = at::full(channels, weight_json.scale("scale"));
  }

  require_tensor(int8_weight, path + ".weight", at::kChar, shape);
  parameters.weight = int8_weight.cpu();
  const bool has_bias = layer.has_bias();
  if (bias.has_value() != has_bias)
    throw Error(path + ".bias: expected " + (has_bias ? "a tensor" : "none") + ", found " +
                (has_bias ? "none" : "one"));
  if (has_bias) {
    require_tensor(*bias, path + ".bias", at::kFloat, {shape[0]});
    parameters.bias = bias->detach().cpu().clone();
  }
  layer.make_int8(scheme, parameters, factor);
}

}  // namespace flowqat::model

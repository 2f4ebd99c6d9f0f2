#include "model/torch/quantization/layer_json.h"

#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <c10/util/StringUtil.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/packed_weights.h"
#include "model/torch/base/state_dict.h"
#include "model/torch/quantization/quantizer_json.h"

namespace flowqat::model {
namespace {

/// The kind and shape that a tensor to load must have.
void require_tensor(const at::Tensor& tensor, const std::string& name, at::ScalarType type,
                    at::IntArrayRef shape) {
  const auto expected = c10::str(type) + " of " + c10::str(shape);
  if (!tensor.defined()) throw Error(name + ": expected " + expected + ", found no tensor");
  if (tensor.scalar_type() != type || tensor.sizes() != shape)
    throw Error(name + ": expected " + expected + ", found " + c10::str(tensor.scalar_type()) +
                " of " + c10::str(tensor.sizes()));
}

/// Int8 of `shape`, from what stored_weight() takes.
at::Tensor weight_from(const at::Tensor& stored, const std::string& name,
                       const std::vector<int64_t>& shape, int bits) {
  const bool packed = are_packed(bits);
  require_tensor(stored, name, packed ? at::kByte : at::kChar,
                 packed ? packed_shape(shape) : shape);
  const auto weight = stored_weight(to_tensor(name, stored), shape, bits);
  return at::tensor(weight, at::kChar).view(shape);
}

nlohmann::json activation_to_json(const ActivationScale& activation) {
  return {{"scale", activation.scale}, {"zero_point", activation.zero_point}};
}

ActivationScale activation_from_json(const StateReader& layer, const char* key, int bits) {
  const auto json = layer.object(key, {"scale", "zero_point"});
  const GridEnds grid = activation_grid(bits);
  return {json.scale("scale"), json.integer("zero_point", grid.lowest, grid.highest), grid.highest};
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

nlohmann::json int8_to_json(const Int8& int8, const std::vector<int64_t>& shape) {
  const Int8Kernel& kernel = *int8.kernel;
  nlohmann::json weight;
  if (are_packed(int8.scheme.weight_bits)) weight["shape"] = shape;
  const auto& zero_point = kernel.weight_zero_point();
  weight["zero_point"] = tensor_to_json(zero_point.any().item<bool>() ? zero_point : zero_point[0]);
  if (!int8.scheme.per_channel_weights) weight["scale"] = tensor_to_json(kernel.weight_scale());
  nlohmann::json layer = {{"scheme", choice_to_json(int8.scheme)},
                          {"bits", int8.scheme.weight_bits},
                          {"input", activation_to_json(kernel.input())},
                          {"weight", weight},
                          {"output", activation_to_json(kernel.output())},
                          {"input_factor", factor_to_json(int8.input_factor)}};
  if (has_fewer_bits(int8.scheme)) layer["activation_bits"] = int8.scheme.activation_bits;
  return layer;
}

}  // namespace

nlohmann::json layer_to_json(const QuantizableLayer& layer) {
  if (layer.is_fake_quantized()) return fake_to_json(layer.fake_quantized());
  if (layer.is_int8()) return int8_to_json(layer.int8(), layer.weight_shape());
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
  StateReader::Keys keys{"scheme", "bits", "input", "weight", "output", "input_factor"};
  const bool names_activation_bits = state.is_object() && state.contains("activation_bits");
  if (names_activation_bits) keys.push_back("activation_bits");
  const StateReader json(state, path, keys);
  const auto scheme = scheme_from_json(json, "scheme");
  json.integer("bits", scheme.weight_bits, scheme.weight_bits);
  if (names_activation_bits) {
    json.integer("activation_bits", scheme.activation_bits, scheme.activation_bits);
  } else if (has_fewer_bits(scheme)) {
    json.fail("scheme", "8 bits, as there is no \"activation_bits\"");
  }
  const std::vector<int64_t> channels{scheme.per_channel_weights ? shape[0] : 1};
  Int8Parameters parameters;
  parameters.engine = scheme.engine;
  parameters.input = activation_from_json(json, "input", scheme.activation_bits);
  parameters.output = activation_from_json(json, "output", scheme.activation_bits);
  const at::Tensor factor = factor_from_json(json, shape[1]);

  const bool packed = are_packed(scheme.weight_bits);
  StateReader::Keys weight_keys{"zero_point"};
  if (!scheme.per_channel_weights) weight_keys.push_back("scale");
  if (packed) weight_keys.push_back("shape");
  const auto weight_json = json.object("weight", weight_keys);
  if (packed && weight_json.at("shape") != nlohmann::json(shape)) {
    weight_json.fail("shape", nlohmann::json(shape).dump() + " by the configuration");
  }
  const GridEnds grid = weight_grid(scheme.weight_bits);
  const bool one_zero_point = !weight_json.at("zero_point").is_array();
  parameters.weight_zero_point =
      weight_json
          .integers("zero_point", one_zero_point ? 1 : channels[0], grid.lowest, grid.highest)
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

  parameters.weight = weight_from(int8_weight, path + ".weight", shape, scheme.weight_bits);
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

/// What a layer's state says in JSON, and layers made from it.
#include <ATen/ops/full.h>
#include <c10/util/StringUtil.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/torch/quantization/quantizable_layer.h"
#include "model/torch/quantization/quantization_state.h"

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

}  // namespace

nlohmann::json QuantizableLayer::state() const {
  const nlohmann::json factor =
      input_factor_.defined() ? tensor_to_json(input_factor_.view({-1})) : nlohmann::json();
  if (is_fake_quantized())
    return {{"scheme", choice_to_json(*scheme_)},
            {"fake_quantization", input_quantizer_->fake_quantization_on()},
            {"observers",
             {{"activations", input_quantizer_->observer_on()},
              {"weights", weight_quantizer_->observer_on()}}},
            {"input", quantizer_to_json(*input_quantizer_)},
            {"weight", quantizer_to_json(*weight_quantizer_)},
            {"output", quantizer_to_json(*output_quantizer_)},
            {"input_factor", factor}};
  if (!is_int8()) return nullptr;
  nlohmann::json weight_json;
  const auto zero_point = weight_zero_point();
  weight_json["zero_point"] =
      tensor_to_json(zero_point.any().item<bool>() ? zero_point : zero_point[0]);
  if (!scheme_->per_channel_weights) weight_json["scale"] = tensor_to_json(weight_scale());
  return {{"scheme", choice_to_json(*scheme_)},
          {"bits", weight_bits},
          {"input", activation_to_json(int8_->input())},
          {"weight", weight_json},
          {"output", activation_to_json(int8_->output())},
          {"input_factor", factor}};
}

void QuantizableLayer::load_fake_quantization(const nlohmann::json& state) {
  require_float("load fake quantization");
  const StateReader json(
      state, path_,
      {"scheme", "fake_quantization", "observers", "input", "weight", "output", "input_factor"});
  const auto observers = json.object("observers", {"activations", "weights"});
  const bool activations = observers.boolean("activations"), weights = observers.boolean("weights");
  const bool on = json.boolean("fake_quantization");
  insert_fake_quantizers(scheme_from_json(json, "scheme"));
  try {
    quantizer_from_json(json, "input", *input_quantizer_);
    quantizer_from_json(json, "weight", *weight_quantizer_);
    quantizer_from_json(json, "output", *output_quantizer_);
    input_factor_ = factor_from_json(json, weight_shape_[1]);
    if (input_factor_.defined()) input_factor_ = input_factor_.to(float_weight().device());
    if (on && !observed())
      json.fail("fake_quantization", "false while a \"min\" and \"max\" are null");
  } catch (...) {
    remove_fake_quantizers();
    scheme_.reset();
    throw;
  }
  set_observers(activations, weights);
  // Not through set_fake_quantization(), which would compute the scales anew.
  for (const auto& quantizer : {input_quantizer_, weight_quantizer_, output_quantizer_}) {
    auto loaded = quantizer->state();
    loaded.fake_quantization_on = on;
    quantizer->load_state(loaded);
  }
}

void QuantizableLayer::load_int8(const nlohmann::json& state, const at::Tensor& int8_weight,
                                 const at::Tensor& weight_scale,
                                 const std::optional<at::Tensor>& bias) {
  require_float("load int8 weights");
  const StateReader json(state, path_,
                         {"scheme", "bits", "input", "weight", "output", "input_factor"});
  const auto scheme = scheme_from_json(json, "scheme");
  json.integer("bits", weight_bits, weight_bits);
  const std::vector<int64_t> channels{scheme.per_channel_weights ? weight_shape_[0] : 1};
  Int8Parameters parameters;
  parameters.engine = scheme.engine;
  parameters.input = activation_from_json(json, "input");
  parameters.output = activation_from_json(json, "output");
  const at::Tensor factor = factor_from_json(json, weight_shape_[1]);

  const auto weight_json = scheme.per_channel_weights
                               ? json.object("weight", {"zero_point"})
                               : json.object("weight", {"scale", "zero_point"});
  const bool one_zero_point = !weight_json.at("zero_point").is_array();
  parameters.weight_zero_point =
      weight_json.integers("zero_point", one_zero_point ? 1 : channels[0], -128, 127)
          .expand(channels)
          .contiguous();
  if (scheme.per_channel_weights) {
    require_tensor(weight_scale, path_ + ".weight_scale", at::kFloat, channels);
    parameters.weight_scale = weight_scale.cpu();
    const auto usable =
        (parameters.weight_scale >= smallest_scale).logical_and(parameters.weight_scale.isfinite());
    if (!usable.all().item<bool>())
      throw Error(path_ + ".weight_scale: expected only finite values above 0");
  } else {
    parameters.weight_scale = at::full(channels, weight_json.scale("scale"));
  }

  require_tensor(int8_weight, path_ + ".weight", at::kChar, weight_shape_);
  parameters.weight = int8_weight.cpu();
  if (bias.has_value() != has_bias_)
    throw Error(path_ + ".bias: expected " + (has_bias_ ? "a tensor" : "none") + ", found " +
                (has_bias_ ? "none" : "one"));
  if (has_bias_) {
    require_tensor(*bias, path_ + ".bias", at::kFloat, {weight_shape_[0]});
    parameters.bias = bias->detach().cpu().clone();
  }
  input_factor_ = factor;
  make_int8(parameters);
  scheme_ = scheme;
}

}  // namespace flowqat::model

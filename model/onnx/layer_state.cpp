#include "model/onnx/layer_state.h"

#include <cmath>
#include <limits>

#include "model/model.h"
#include "model/quantization.h"

namespace flowqat::model::onnx_export {
namespace {

using nlohmann::json;

[[noreturn]] void fail(const std::string& place, const std::string& expected, const json& found) {
  std::string text = found.dump();
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  throw Error("quantization: " + place + ": expected " + expected + ", found " +
              (found.is_null() ? "nothing" : text));
}

const json& member(const json& object, const char* key, const std::string& place) {
  static const json nothing;
  if (!object.is_object()) fail(place, "an object", object);
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

float scale_of(const json& value, const std::string& place) {
  const float scale = value.is_number() ? value.get<float>() : 0.0F;
  if (!(scale > 0 && std::isfinite(scale))) fail(place, "a number above 0", value);
  return scale;
}

template <class T>
T zero_point_of(const json& value, const std::string& place) {
  constexpr int64_t low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
  if (!value.is_number_integer() || value.get<int64_t>() < low || value.get<int64_t>() > high) {
    fail(place, "an integer from " + std::to_string(low) + " to " + std::to_string(high), value);
  }
  return static_cast<T>(value.get<int64_t>());
}

/// 8 unless the layer says otherwise.
int bits_of(const json& layer, const char* key, const std::string& name) {
  const json& bits = member(layer, key, name);
  if (bits.is_null()) return 8;
  if (!bits.is_number_integer() || bits < 4 || bits > 8) {
    fail(name + "." + key, "a whole number from 4 to 8", bits);
  }
  return bits;
}

ActivationState activation_of(const json& layer, const char* key, const std::string& name) {
  const std::string place = name + "." + key;
  const json& state = member(layer, key, name);
  return {scale_of(member(state, "scale", place), place + ".scale"),
          zero_point_of<uint8_t>(member(state, "zero_point", place), place + ".zero_point"),
          static_cast<uint8_t>(activation_grid(bits_of(layer, "activation_bits", name)).highest)};
}

void check_scales(const std::vector<float>& scales, const std::string& tensor) {
  for (const float scale : scales) {
    if (!(scale > 0 && std::isfinite(scale))) {
      throw Error("tensor \"" + tensor + "\": expected only finite values above 0, found " +
                  std::to_string(scale));
    }
  }
}

std::vector<float> input_factor_of(const json& layer, const std::string& name, int64_t channels) {
  const json& values = member(layer, "input_factor", name);
  if (values.is_null()) return {};
  const std::string place = name + ".input_factor";
  if (channels == 1) return {scale_of(values, place)};
  if (!values.is_array() || values.size() != static_cast<size_t>(channels)) {
    fail(place, "an array of " + std::to_string(channels), values);
  }
  std::vector<float> factors;
  for (const json& value : values) factors.push_back(scale_of(value, place));
  return factors;
}

}  // namespace

LayerStates::LayerStates(const json& quantization) {
  if (quantization.is_null()) return;
  const json& format = member(quantization, "format", "the file");
  if (format != kInt8Format) {
    fail("\"format\"",
         std::string("\"") + kInt8Format +
             "\" (a fake-quantized model is converted to int8 first, by a convert node)",
         format);
  }
  check_quantization_version(quantization);
  const json& layers = member(quantization, "layers", "the file");
  if (!layers.is_object()) fail("\"layers\"", "an object", layers);
  for (const auto& [name, state] : layers.items()) layers_[name] = state;
}

LayerState LayerStates::take(const std::string& layer, const Shape& shape, int64_t in_channels,
                             Weights& weights) {
  const json& entry = layers_.at(layer);
  taken_.insert(layer);
  LayerState state;
  state.input = activation_of(entry, "input", layer);
  state.output = activation_of(entry, "output", layer);

  const std::string place = layer + ".weight", scale_name = layer + ".weight_scale";
  const auto& weight = member(entry, "weight", layer);
  if (const auto& scale = member(weight, "scale", place); !scale.is_null()) {
    state.weight_scales = {scale_of(scale, place + ".scale")};
  } else {
    state.weight_scales = weights.floats(scale_name, {shape.front()});
    check_scales(state.weight_scales, scale_name);
  }
  const auto& zero_points = member(weight, "zero_point", place);
  const size_t scales = state.weight_scales.size();
  if (!zero_points.is_array()) {
    state.weight_zero_points.assign(scales, zero_point_of<int8_t>(zero_points, place));
  } else {
    if (zero_points.size() != scales) {
      fail(place + ".zero_point", std::to_string(scales) + " integers", zero_points);
    }
    for (const auto& value : zero_points) {
      state.weight_zero_points.push_back(zero_point_of<int8_t>(value, place + ".zero_point"));
    }
  }
  state.weight = weights.integers(place, shape, bits_of(entry, "bits", layer));
  state.input_factor = input_factor_of(entry, layer, in_channels);
  return state;
}

void LayerStates::check_all_taken() const {
  for (const auto& [name, state] : layers_) {
    if (!taken_.contains(name)) {
      throw Error("quantization: \"layers\": the configuration has no layer \"" + name +
                  "\" that can be int8");
    }
  }
}

}  // namespace flowqat::model::onnx_export

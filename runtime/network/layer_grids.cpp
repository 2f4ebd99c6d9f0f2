#include "runtime/network/layer_grids.h"

#include <cmath>
#include <limits>

#include "base/message.h"
#include "model/model.h"
#include "model/quantization.h"

namespace flowqat::runtime {
namespace {

using model::Error;
using nlohmann::json;

[[noreturn]] void fail(const std::string& where, const std::string& expected, const json& found) {
  throw Error(where + ": expected " + expected + ", found " + shown(found));
}

const json& member(const json& object, const std::string& where, const char* key) {
  if (!object.is_object()) fail(where, "an object", object);
  const auto found = object.find(key);
  if (found == object.end()) throw Error(where + ": key \"" + key + "\" is missing");
  return *found;
}

bool is_scale(const json& value) {
  if (!value.is_number()) return false;
  const auto scale = value.get<double>();
  return scale >= std::numeric_limits<float>::min() && scale <= std::numeric_limits<float>::max();
}

float scale_of(const json& object, const std::string& where) {
  const json& value = member(object, where, "scale");
  if (!is_scale(value)) fail(where + ".scale", "a number above 0", value);
  return value.get<float>();
}

int32_t integer_of(const json& value, const std::string& where, int64_t low, int64_t high) {
  if (!value.is_number_integer() || value.get<int64_t>() < low || value.get<int64_t>() > high) {
    fail(where, "an integer from " + std::to_string(low) + " to " + std::to_string(high), value);
  }
  return value.get<int32_t>();
}

ByteGrid grid_of(const json& layer, const std::string& name, const char* key, int bits) {
  const json& grid = member(layer, name, key);
  const std::string where = name + "." + key;
  const int32_t highest = (1 << bits) - 1;
  return {scale_of(grid, where),
          integer_of(member(grid, where, "zero_point"), where + ".zero_point", 0, highest),
          highest};
}

std::vector<int32_t> zero_points_of(const json& weight, const std::string& name, int64_t out) {
  const json& value = member(weight, name, "zero_point");
  const std::string where = name + ".zero_point";
  if (!value.is_array()) return {integer_of(value, where, -128, 127)};
  if (value.size() != static_cast<size_t>(out)) {
    fail(where, std::to_string(out) + " integers", value);
  }
  std::vector<int32_t> zero_points;
  for (const json& one : value) zero_points.push_back(integer_of(one, where, -128, 127));
  return zero_points;
}

std::vector<float> factor_of(const json& value, const std::string& where, int64_t in) {
  if (value.is_null()) return {};
  const json values = value.is_array() ? value : json::array({value});
  if (values.size() != static_cast<size_t>(in)) {
    fail(where, std::to_string(in) + " numbers above 0", value);
  }
  std::vector<float> factor;
  for (const json& divisor : values) {
    if (!is_scale(divisor)) fail(where, std::to_string(in) + " numbers above 0", value);
    factor.push_back(1.0f / divisor.get<float>());
  }
  return factor;
}

}  // namespace

json checked_int8_layers(const json& quantization) {
  const std::string where = "quantization";
  const json& format = member(quantization, where, "format");
  if (format != model::kInt8Format) {
    fail(where + ".format", std::string("\"") + model::kInt8Format + "\"", format);
  }
  model::check_quantization_version(quantization);
  const json& layers = member(quantization, where, "layers");
  if (!layers.is_object()) fail(where + ".layers", "an object", layers);
  return layers;
}

LayerGrids layer_grids(const json& layer, const std::string& name, int64_t out, int64_t in) {
  const json& scheme_json = member(layer, name, "scheme");
  const model::LayerChoice scheme = model::choice_from_json(scheme_json, name + ".scheme");
  if (!scheme || model::choice_to_json(scheme) != scheme_json) {
    fail(name + ".scheme", "all fields of a scheme", scheme_json);
  }
  LayerGrids grids;
  grids.input = grid_of(layer, name, "input", scheme->activation_bits);
  grids.output = grid_of(layer, name, "output", scheme->activation_bits);
  grids.weight_bits = scheme->weight_bits;
  integer_of(member(layer, name, "bits"), name + ".bits", scheme->weight_bits, scheme->weight_bits);
  const json& weight = member(layer, name, "weight");
  grids.scale_a_channel = scheme->per_channel_weights;
  if (!grids.scale_a_channel) grids.weight_scale = scale_of(weight, name + ".weight");
  grids.weight_zero_point = zero_points_of(weight, name + ".weight", out);
  grids.input_factor = factor_of(member(layer, name, "input_factor"), name + ".input_factor", in);
  return grids;
}

void check_scales(const std::vector<float>& scales, const std::string& name) {
  for (const float scale : scales) {
    if (!(scale >= std::numeric_limits<float>::min()) || !std::isfinite(scale)) {
      throw Error(name + ": expected only finite values above 0");
    }
  }
}

}  // namespace flowqat::runtime

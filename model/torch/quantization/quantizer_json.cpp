#include "model/torch/quantization/quantizer_json.h"

#include <ATen/ops/tensor.h>
#include <c10/util/accumulate.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "model/model.h"

namespace flowqat::model {
namespace {

std::string range_text(const char* kind, const nlohmann::json& low, const nlohmann::json& high) {
  return std::string(kind) + " in " + low.dump() + ".." + high.dump();
}

std::string shortened(const nlohmann::json& value) {
  const auto text = value.dump();
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

std::string list_of(const StateReader::Keys& keys) {
  std::string text;
  for (const auto* key : keys) text += (text.empty() ? "" : ", ") + std::string(key);
  return text;
}

/// One number or an array of them as `wanted` elements, checked by `valid`; false if it is neither.
template <typename T, typename Valid>
bool collect(const nlohmann::json& value, bool array, size_t wanted, Valid valid,
             std::vector<T>& out) {
  if (value.is_array() != array) return false;
  const auto add = [&](const nlohmann::json& element) {
    if (!valid(element)) return false;
    out.push_back(element.get<T>());
    return true;
  };
  if (!array) return add(value);
  return value.size() == wanted && std::all_of(value.begin(), value.end(), add);
}

}  // namespace

StateReader::StateReader(const nlohmann::json& json, std::string where, const Keys& keys)
    : json_(json), where_(std::move(where)) {
  if (!json_.is_object())
    throw Error(where_ + ": expected an object with " + list_of(keys) + ", found " +
                shortened(json_));
  for (const auto* key : keys)
    if (!json_.contains(key))
      throw Error(where_ + ": key \"" + key + "\" is missing; expected " + list_of(keys));
  for (const auto& item : json_.items()) {
    const auto matches = [&](const char* known) { return item.key() == known; };
    if (std::none_of(keys.begin(), keys.end(), matches))
      throw Error(where_ + ": unknown key \"" + item.key() + "\"; expected " + list_of(keys));
  }
}

StateReader StateReader::object(const char* key, const Keys& keys) const {
  return {json_.at(key), where_ + "." + key, keys};
}

void StateReader::fail(const char* key, const std::string& expected) const {
  throw Error(where_ + "." + key + ": expected " + expected + ", found " + shortened(at(key)));
}

bool StateReader::boolean(const char* key) const {
  if (!at(key).is_boolean()) fail(key, "true or false");
  return at(key).get<bool>();
}

int64_t StateReader::integer(const char* key, int64_t low, int64_t high) const {
  return integers(key, {1}, low, high).item<int64_t>();
}

double StateReader::number(const char* key, double low, double high) const {
  const auto& value = at(key);
  if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high))
    fail(key, range_text("a number", low, high));
  return value.get<double>();
}

double StateReader::scale(const char* key) const {
  return number(key, smallest_scale, largest_float);
}

at::Tensor StateReader::floats(const char* key, at::IntArrayRef shape, double low,
                               double high) const {
  const int64_t wanted = c10::multiply_integers(shape);
  const bool array = wanted > 1;
  std::vector<float> values;
  const auto valid = [&](const nlohmann::json& value) {
    return value.is_number() && value.get<double>() >= low && value.get<double>() <= high;
  };
  if (!collect(at(key), array, wanted, valid, values))
    fail(key, array ? std::to_string(wanted) + " numbers, each " + range_text("one", low, high)
                    : range_text("a number", low, high));
  return at::tensor(values).reshape(shape);
}

at::Tensor StateReader::integers(const char* key, at::IntArrayRef shape, int64_t low,
                                 int64_t high) const {
  const int64_t wanted = c10::multiply_integers(shape);
  const bool array = wanted > 1;
  std::vector<int32_t> values;
  const auto valid = [&](const nlohmann::json& value) {
    return value.is_number_integer() && value.get<int64_t>() >= low && value.get<int64_t>() <= high;
  };
  if (!collect(at(key), array, wanted, valid, values))
    fail(key, array ? std::to_string(wanted) + " integers, each " + range_text("one", low, high)
                    : range_text("an integer", low, high));
  return at::tensor(values, at::kInt).reshape(shape);
}

nlohmann::json tensor_to_json(const at::Tensor& tensor) {
  const auto values = tensor.detach().to(at::kCPU, at::kDouble).contiguous();
  const bool whole = !tensor.is_floating_point();
  const auto element = [&](int64_t i) {
    const double value = values.data_ptr<double>()[i];
    return whole ? nlohmann::json(static_cast<int64_t>(value)) : nlohmann::json(value);
  };
  if (values.numel() == 1) return element(0);
  auto array = nlohmann::json::array();
  for (int64_t i = 0; i < values.numel(); ++i) array.push_back(element(i));
  return array;
}

LayerScheme scheme_from_json(const StateReader& layer, const char* key) {
  const auto& json = layer.at(key);
  const LayerChoice scheme = choice_from_json(json, layer.where() + "." + key);
  if (!scheme || choice_to_json(scheme) != json) layer.fail(key, "all fields of a scheme");
  return *scheme;
}

nlohmann::json quantizer_to_json(const FakeQuantizer& quantizer) {
  const bool seen = quantizer.observed();
  return {{"min", seen ? tensor_to_json(quantizer.min_val()) : nlohmann::json()},
          {"max", seen ? tensor_to_json(quantizer.max_val()) : nlohmann::json()},
          {"scale", tensor_to_json(quantizer.scale())},
          {"zero_point", tensor_to_json(quantizer.zero_point())},
          {"log_scale", quantizer.log_scale().defined() ? tensor_to_json(quantizer.log_scale())
                                                        : nlohmann::json()}};
}

void quantizer_from_json(const StateReader& layer, const char* key, FakeQuantizer& quantizer) {
  const auto json = layer.object(key, {"min", "max", "scale", "zero_point", "log_scale"});
  auto state = quantizer.state();
  const auto& options = quantizer.options();
  state.scale = json.floats("scale", state.scale.sizes(), smallest_scale, largest_float);
  state.zero_point =
      json.integers("zero_point", state.zero_point.sizes(), options.quant_min, options.quant_max);
  if (json.at("min").is_null() != json.at("max").is_null())
    json.fail("max", "null or numbers, as \"min\" has");
  if (!json.at("min").is_null()) {
    const auto shape = state.min_val.sizes();
    const auto low = json.floats("min", shape, -largest_float, largest_float);
    const auto high = json.floats("max", shape, -largest_float, largest_float);
    if ((low > high).any().item<bool>()) json.fail("max", "no value below \"min\"");
    state.min_val = low;
    state.max_val = high;
  }
  if (!json.at("log_scale").is_null()) {
    if (!options.learned_step) json.fail("log_scale", "null, as the scheme learns no step");
    state.log_scale = json.floats("log_scale", state.scale.sizes(), -100, 100);
  }
  quantizer.load_state(state);
}

}  // namespace flowqat::model

// The JSON form of schemes and policies, for graphs and for model folders alike.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "model/model.h"
#include "model/quantization.h"

namespace flowqat::model {
namespace {

using nlohmann::json;

constexpr std::pair<const char*, QuantEngine> engines[] = {{"qnnpack", QuantEngine::qnnpack},
                                                           {"fbgemm", QuantEngine::fbgemm}};
constexpr std::pair<const char*, RangeEstimate> ranges[] = {
    {"moving_average", RangeEstimate::moving_average},
    {"min_max", RangeEstimate::min_max},
    {"percentile", RangeEstimate::percentile},
    {"mse", RangeEstimate::mse}};

[[noreturn]] void fail(const std::string& where, const std::string& expected, const json& found) {
  std::string text = found.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  throw Error(where + ": expected " + expected + ", found " + text);
}

template <class Table, class Value>
const char* name_in(const Table& table, Value value) {
  for (const auto& [name, known] : table)
    if (known == value) return name;
  return "";
}

template <class Table, class Value>
void read(const Table& table, const json& value, const std::string& where, Value& out) {
  std::string names;
  for (const auto& [name, known] : table) {
    if (value == name) {
      out = known;
      return;
    }
    names += (names.empty() ? "\"" : ", \"") + std::string(name) + "\"";
  }
  fail(where, "one of " + names, value);
}

void read(const json& value, const std::string& where, bool& out) {
  if (!value.is_boolean()) fail(where, "true or false", value);
  out = value;
}

void read_bits(const json& value, const std::string& where, int& out) {
  if (!value.is_number_integer() || value < 4 || value > 8)
    fail(where, "a whole number of bits from 4 to 8", value);
  out = value;
}

void read(const json& value, const std::string& where, double low, double high, double& out) {
  if (!value.is_number() || value.get<double>() < low || value.get<double>() > high)
    fail(where, "a number from " + json(low).dump() + " to " + json(high).dump(), value);
  out = value;
}

void read_field(const std::string& key, const json& value, const std::string& where,
                LayerScheme& scheme) {
  if (key == "engine") return read(engines, value, where, scheme.engine);
  if (key == "symmetric_activations") return read(value, where, scheme.symmetric_activations);
  if (key == "symmetric_weights") return read(value, where, scheme.symmetric_weights);
  if (key == "per_channel_weights") return read(value, where, scheme.per_channel_weights);
  if (key == "activation_bits") return read_bits(value, where, scheme.activation_bits);
  if (key == "weight_bits") return read_bits(value, where, scheme.weight_bits);
  if (key == "range") return read(ranges, value, where, scheme.range);
  if (key == "percentile") return read(value, where, 50, 100, scheme.percentile);
  if (key == "averaging_constant") return read(value, where, 1e-6, 1, scheme.averaging_constant);
  if (key == "learned_step") return read(value, where, scheme.learned_step);
  if (key == "smoothing") return read(value, where, 0, 1, scheme.smoothing);
  std::string known = "\"preset\"";
  const json fields = choice_to_json(LayerScheme{});
  for (const auto& item : fields.items()) known += ", \"" + item.key() + "\"";
  throw Error(where + ": unknown key; expected " + known);
}

std::vector<Policy::Exception> read_exceptions(const json& list, const std::string& where) {
  if (!list.is_array()) fail(where, "a list of {\"match\", \"choice\"}", list);
  std::vector<Policy::Exception> exceptions;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string entry = where + "[" + std::to_string(i) + "]";
    const json& object = list[i];
    if (!object.is_object() || object.size() != 2 || !object.contains("choice") ||
        !object.contains("match") || !object["match"].is_string()) {
      fail(entry, "{\"match\": a layer's name with wildcards, \"choice\": as a part has}", object);
    }
    exceptions.push_back({object["match"], choice_from_json(object["choice"], entry + ".choice")});
  }
  return exceptions;
}

}  // namespace

void check_quantization_version(const json& quantization) {
  const auto found = quantization.find("version");
  const json version = found == quantization.end() ? json() : *found;
  const bool is_number = version.is_number_integer();
  if (is_number && version >= kOldestQuantizationVersion && version <= kQuantizationVersion) return;
  const json format = quantization.value("format", json(kInt8Format));
  throw Error("quantization: " + format.dump() + " of version " + version.dump() +
              ", this program reads versions " + std::to_string(kOldestQuantizationVersion) +
              " and " + std::to_string(kQuantizationVersion) +
              (is_number && version > kQuantizationVersion
                   ? "; it was written by a newer flowqat: update this one"
                   : "; make the folder again with this flowqat"));
}

LayerChoice choice_from_json(const json& value, const std::string& where) {
  if (value.is_string()) {
    if (value == "none") return std::nullopt;
    try {
      return preset(value);
    } catch (const Error& error) {
      throw Error(where + ": " + error.what());
    }
  }
  if (!value.is_object()) fail(where, "a preset's name, \"none\" or an object", value);
  LayerScheme scheme;
  if (value.contains("preset")) {
    const LayerChoice base = choice_from_json(value["preset"], where + ".preset");
    if (!base || !value["preset"].is_string())
      fail(where + ".preset", "a preset's name", value["preset"]);
    scheme = *base;
  } else if (!value.contains("engine")) {
    fail(where, "a \"preset\" or an \"engine\" among the keys", value);
  }
  for (const auto& [key, field] : value.items()) {
    if (key != "preset") read_field(key, field, where + "." + key, scheme);
  }
  return scheme;
}

json choice_to_json(const LayerChoice& choice) {
  if (!choice) return "none";
  return {{"engine", name_in(engines, choice->engine)},
          {"symmetric_activations", choice->symmetric_activations},
          {"symmetric_weights", choice->symmetric_weights},
          {"per_channel_weights", choice->per_channel_weights},
          {"activation_bits", choice->activation_bits},
          {"weight_bits", choice->weight_bits},
          {"range", name_in(ranges, choice->range)},
          {"percentile", choice->percentile},
          {"averaging_constant", choice->averaging_constant},
          {"learned_step", choice->learned_step},
          {"smoothing", choice->smoothing}};
}

Policy policy_from_json(const json& value, const std::string& where) {
  if (!value.is_object()) fail(where, "an object of parts of the model", value);
  Policy policy;
  for (const auto& [key, field] : value.items()) {
    const auto* part = std::ranges::find_if(
        policy_parts, [&key = key](const auto& entry) { return key == entry.first; });
    if (part != std::end(policy_parts)) {
      policy.*part->second = choice_from_json(field, where + "." + key);
    } else if (key == "exceptions") {
      policy.exceptions = read_exceptions(field, where + ".exceptions");
    } else {
      std::string known = "\"exceptions\"";
      for (const auto& entry : policy_parts) known += ", \"" + std::string(entry.first) + "\"";
      throw Error(where + "." + key + ": unknown key; expected " + known);
    }
  }
  return policy;
}

json policy_to_json(const Policy& policy) {
  json result = json::object();
  for (const auto& [name, part] : policy_parts) result[name] = choice_to_json(policy.*part);
  result["exceptions"] = json::array();
  for (const Policy::Exception& exception : policy.exceptions) {
    result["exceptions"].push_back(
        {{"match", exception.match}, {"choice", choice_to_json(exception.choice)}});
  }
  return result;
}

}  // namespace flowqat::model

#include "nodes/support/given_policy.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "graph/params.h"
#include "model/model.h"

namespace flowqat::nodes {
namespace {

using nlohmann::json;
using Names = std::vector<std::string>;

Names parts() {
  Names names{"exceptions"};
  for (const auto& [part, unused] : model::policy_parts) names.push_back(part);
  return names;
}

Names presets() {
  Names names = model::preset_names();
  names.push_back("none");
  return names;
}

Names fields() {
  Names names{"preset"};
  const json known = model::choice_to_json(model::LayerScheme{});
  for (const auto& item : known.items()) names.push_back(item.key());
  return names;
}

Names ranges() {
  using model::RangeEstimate;
  Names names;
  for (const RangeEstimate range : {RangeEstimate::moving_average, RangeEstimate::min_max,
                                    RangeEstimate::percentile, RangeEstimate::mse}) {
    names.push_back(model::choice_to_json(model::LayerScheme{.range = range}).at("range"));
  }
  return names;
}

/// For a word that is none of the known ones, the one that is like it.
std::string suggestion(const json& word, const Names& known) {
  if (!word.is_string()) return "";
  const std::string text = word.get<std::string>();
  return std::ranges::find(known, text) == known.end() ? graph::suggestion(text, known) : "";
}

std::string choice_suggestion(const json& choice) {
  if (!choice.is_object()) return suggestion(choice, presets());
  for (const auto& [key, value] : choice.items()) {
    std::string found = suggestion(key, fields());
    if (found.empty() && key == "preset") found = suggestion(value, presets());
    if (found.empty() && key == "range") found = suggestion(value, ranges());
    if (found.empty() && key == "engine") found = suggestion(value, {"qnnpack", "fbgemm"});
    if (!found.empty()) return found;
  }
  return "";
}

std::string policy_suggestion(const json& policy) {
  if (!policy.is_object()) return "";
  for (const auto& [key, value] : policy.items()) {
    std::string found = suggestion(key, parts());
    if (found.empty() && key == "exceptions" && value.is_array()) {
      for (const json& exception : value) {
        if (exception.is_object() && exception.contains("choice") && found.empty()) {
          found = choice_suggestion(exception["choice"]);
        }
      }
    } else if (found.empty()) {
      found = choice_suggestion(value);
    }
    if (!found.empty()) return found;
  }
  return "";
}

}  // namespace

model::Policy given_policy(const json& policy, const std::string& where) {
  try {
    return model::policy_from_json(policy, where);
  } catch (const model::Error& error) {
    throw graph::GraphError(error.what() + policy_suggestion(policy));
  }
}

}  // namespace flowqat::nodes

#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "model/quantization.h"

namespace flowqat::nodes {

/// model::policy_from_json() of what a person wrote: throws GraphError, with a suggestion for a
/// misspelt part, key, preset or range.
model::Policy given_policy(const nlohmann::json& json, const std::string& where);

}  // namespace flowqat::nodes

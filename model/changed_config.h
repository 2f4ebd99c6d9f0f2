#pragma once
#include <nlohmann/json_fwd.hpp>

#include "model/config.h"

namespace flowqat::model {

/// The same configuration with other values of some of config.json's fields, which saved_json()
/// then has too. Throws Error as Config::from_json() does.
Config with_fields(const Config& config, const nlohmann::json& fields);

}  // namespace flowqat::model

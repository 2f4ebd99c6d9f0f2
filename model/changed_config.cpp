#include "model/changed_config.h"

#include <nlohmann/json.hpp>

namespace flowqat::model {

Config with_fields(const Config& config, const nlohmann::json& fields) {
  nlohmann::json all = config.source ? *config.source : nlohmann::json::object();
  all.update(fields);
  Config changed = Config::from_json(all).with_vocabulary(config.vocab_size, config.pad_token_id);
  changed.attention_mask = config.attention_mask;
  return changed;
}

}  // namespace flowqat::model

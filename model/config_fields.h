/// Which fields of a wav2vec2's config.json mean nothing to a CTC model, and why.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace flowqat::model {

/// Throws Error for a field whose value would make another model of it, naming field, value, reason
/// and the value that is accepted.
void refuse_other_models(const nlohmann::json& config);

/// Fields that no version of transformers reads for this model, sorted: with a typing error among
/// them, a setting would be lost in silence. Transformers ignores them too.
std::vector<std::string> unknown_fields(const nlohmann::json& config);

}  // namespace flowqat::model

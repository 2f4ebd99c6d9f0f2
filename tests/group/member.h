/// What members of a group do in tests, beside the group's own functions.
#pragma once
#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "model/group.h"

namespace flowqat::testing {

/// Trains a small model as `what` says, in a group or alone (null), and prints a line of JSON for
/// each update and one at the end: training.cpp has the keys.
void train(const nlohmann::json& what, const std::shared_ptr<model::Group>& group);

}  // namespace flowqat::testing

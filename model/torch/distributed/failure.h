/// Failures that all processes have alike are told by one.
#pragma once
#include <string>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "model/group.h"

namespace flowqat::model {

/// Group::is_told(), by a store that all processes reach.
bool is_told_by_first(c10d::Store& store, const Rank& rank, const std::string& failure);

/// The same for processes that have not met: Engine::is_told(). Rank 0 holds the store until the
/// others have asked, for 5 s at the most.
bool is_told_by_first(const Rank& rank, const std::string& failure);

}  // namespace flowqat::model

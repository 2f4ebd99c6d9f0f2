/// How a run stands, by its folder alone.
#pragma once
#include <filesystem>
#include <string>

#include "graph/run_listener.h"

namespace flowqat::graph {

struct RunStanding {
  RunState state = RunState::interrupted;
  std::string why = {};  ///< of one that failed or was interrupted, in words
};

/// Looks, and changes nothing. A run that is being replaced counts as running. Throws GraphError
/// where the folder holds no run.
RunStanding standing_of(const std::filesystem::path& run);

/// "running", "finished", "interrupted", "failed".
std::string state_name(RunState state);

/// Leaves word of a run that ends early, until it is gone on with. Throws OutputError.
void write_stopped(const std::filesystem::path& run, RunState state, const std::string& why);

}  // namespace flowqat::graph

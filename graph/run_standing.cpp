#include "graph/run_standing.h"

#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "graph/run_files.h"
#include "graph/run_folder.h"
#include "graph/run_lock.h"
#include "graph/saved_state.h"
#include "graph/whole_files.h"

namespace flowqat::graph {

std::string state_name(RunState state) {
  switch (state) {
    case RunState::running:
      return "running";
    case RunState::finished:
      return "finished";
    case RunState::failed:
      return "failed";
    case RunState::interrupted:
      break;
  }
  return "interrupted";
}

void write_stopped(const std::filesystem::path& run, RunState state, const std::string& why) {
  write_json(run / kStoppedFile, {{"state", state_name(state)}, {"why", why}});
}

RunStanding standing_of(const std::filesystem::path& run) {
  if (is_locked(run)) return {.state = RunState::running};
  if (!holds_run(run)) throw GraphError(run.string() + ": holds no run (a run has a graph.json)");
  // A run that is gone on with keeps the state of its end until it comes to another.
  std::error_code none;
  if (std::filesystem::exists(run / kStoppedFile, none)) {
    try {
      const Json told = read_json(run / kStoppedFile);
      const bool failed = told.value("state", "") == state_name(RunState::failed);
      return {.state = failed ? RunState::failed : RunState::interrupted,
              .why = told.value("why", "")};
    } catch (const std::exception&) {
      return {.why = std::string(kStoppedFile) + " cannot be read"};
    }
  }
  if (std::filesystem::exists(run / kStatesFolder / kEnd, none)) {
    return {.state = RunState::finished};
  }
  return {.why = "ended without a word: killed, or the machine went down"};
}

}  // namespace flowqat::graph

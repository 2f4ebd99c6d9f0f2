/// The runs below a folder, as their files tell.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/json.h"

namespace flowqat::cli {

struct ListedRun {
  std::string path;
  std::string state;      ///< as graph::state_name() says, or "broken"
  std::string why = {};   ///< of a state other than running and finished
  int64_t step = 0;       ///< optimizer steps of all train nodes
  double best_wer = -1;   ///< the lowest one; below 0: none
  std::string best = {};  ///< what has it: "wer: int8", "learn: step 200"
  int64_t changed_s = 0;  ///< when its metrics last grew, in seconds since 1970
  std::shared_ptr<const graph::Json> graph = {};  ///< null where it cannot be read
  /// What its graph has other than most, by place: "learn.lr", with the value as JSON.
  std::vector<std::pair<std::string, std::string>> differs = {};
};

enum class RunOrder { changed, name, best };

/// Every folder below `folder`, or it itself, that holds a run or what is left of one. Looks
/// into no run for others. Throws GraphError where `folder` is none.
std::vector<ListedRun> list_runs(const std::filesystem::path& folder, RunOrder order);

/// Fills in ListedRun::differs: the values that fewer than half of the runs share which have that
/// node at all, and nodes that fewer than half have, or more but not this one.
void find_differences(std::vector<ListedRun>& runs);

}  // namespace flowqat::cli

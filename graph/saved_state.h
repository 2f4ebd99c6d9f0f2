/// A state to go on from: a folder with files, `state.json`, and `checksums.json`, by which damage
/// is known before anything is made of it.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "graph/error.h"
#include "graph/json.h"

namespace flowqat::graph {

inline constexpr const char* kStateFile = "state.json";

/// The states of a run's beginning and of its end.
inline constexpr const char *kBegin = "begin", *kEnd = "end";

struct Saved {
  std::filesystem::path folder;
  std::shared_ptr<const Json> state;  ///< what state.json holds
};

/// A file that a state is made of is missing, or not what was written.
class Damaged : public RunError {
 public:
  using RunError::RunError;
};

/// Writes what `fill` does, `state`, and the checksums of all that and of `outputs`: files and
/// folders of the run that the state counts on, relative to `run`. The name of the folder is part
/// of the state. Throws OutputError.
void write_saved(const std::filesystem::path& folder, const Json& state,
                 const std::filesystem::path& run, const std::vector<std::string>& outputs,
                 const std::function<void(const std::filesystem::path&)>& fill);

/// Reads it all and compares. Throws Damaged, naming the file and what is wrong with it.
Saved read_saved(const std::filesystem::path& folder, const std::filesystem::path& run);

/// A node's name as that of a file, which it need not be.
std::string plain_name(const std::string& node);

}  // namespace flowqat::graph

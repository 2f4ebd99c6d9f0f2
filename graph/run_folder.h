/// The folder that a run leaves behind, and what makes it safe to interrupt: every file and folder
/// in it appears whole or not at all, and a state to go on from is known to be what was written.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/json.h"
#include "graph/run_files.h"
#include "graph/run_inputs.h"
#include "graph/run_lock.h"
#include "graph/saved_state.h"
#include "graph/whole_files.h"

namespace flowqat::graph {

/// What to do with a folder that already holds a run.
enum class Existing { refuse, resume, overwrite };

/// The nearest folder above `path`, or `path` itself, that exists.
std::filesystem::path nearest_existing(const std::filesystem::path& path);

/// Whether there is a run to go on with.
bool holds_run(const std::filesystem::path& path);

/// The graph of the run that `path` holds: its `graph.json`, or the copy of that which the run made
/// when it began, where that can be read no longer. Throws GraphError where there is no run.
std::filesystem::path graph_of_run(const std::filesystem::path& path);

/// Throws as the constructor of RunFolder does where it must not take `path` or cannot write there;
/// leaves nothing behind.
void check_run_folder(const std::filesystem::path& path, const Json& resolved_graph,
                      Existing existing);

class RunFolder {
 public:
  using Say = std::function<void(const std::string&)>;
  using Fill = std::function<void(const std::filesystem::path&)>;

  /// Creates or takes over `path`, for as long as the object is there; begin() is to follow.
  /// `outputs`: what the nodes write there ('*' stands for any text). `say` gets what a person
  /// should know. Throws GraphError if the folder holds a run and neither resuming nor overwriting
  /// was asked for, if it holds none to resume or one of another graph, if it holds other things
  /// under a name that the run writes, or if another process is writing it; OutputError if it
  /// cannot be written.
  RunFolder(std::filesystem::path path, const Json& resolved_graph, Existing existing,
            std::vector<std::string> outputs = {}, Say say = {});

  /// The folder as another process sees it than the one that writes it: its places alone.
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  /// True if there is an earlier run here to go on from.
  bool resumed() const { return resumed_; }
  void say(const std::string& line) const;

  /// Writes `graph.json`, with which the folder holds a run, and what the run begins with.
  void begin(const Json& resolved_graph, const RunInputs& inputs);
  /// What the run that is resumed began with; none where that is damaged, which is said.
  std::optional<Saved> beginning() const;

  /// Where the states are: of the run's beginning, behind a step, inside of one, of the end.
  std::filesystem::path begin_path() const;
  std::filesystem::path finished_path(const std::string& step) const;
  std::filesystem::path checkpoint_path(int64_t optimizer_steps) const;
  std::filesystem::path end_path() const;
  /// All that were made inside of steps, the newest first.
  std::vector<std::filesystem::path> checkpoints() const;
  /// The optimizer steps that the name of such a folder tells; -1 for any other name.
  static int64_t steps_of(const std::filesystem::path& checkpoint);

  /// The state in a folder. Throws Damaged where it, or another that it needs, is not what was
  /// written, or of another graph.
  Saved read(const std::filesystem::path& folder) const;
  /// Writes one, with the checksums of `outputs`, which it counts on.
  void write(const std::filesystem::path& folder, Json state,
             const std::vector<std::string>& outputs, const Fill& fill) const;
  /// Puts a state where it is in nobody's way.
  void set_aside(const std::filesystem::path& folder) const;
  /// Removes all step checkpoints but the `keep` newest and those that these need: "needs" of a
  /// state lists their optimizer steps.
  void prune_checkpoints(int keep) const;

 private:
  std::filesystem::path path_;
  std::vector<std::string> outputs_;
  Say say_;
  std::string graph_checksum_;
  std::optional<RunLock> lock_;
  bool resumed_ = false;
};

/// The summary of a run that is complete: its last state and all that it counts on is there, and is
/// what was written. `say` gets what is wrong with one that was.
std::optional<Json> summary_of_complete(const std::filesystem::path& run,
                                        const Json& resolved_graph, const RunFolder::Say& say);

}  // namespace flowqat::graph

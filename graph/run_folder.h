/// The folder that a run leaves behind, and what makes it safe to interrupt: every file and folder
/// in it appears whole or not at all.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "graph/json.h"

namespace flowqat::graph {

/// What to do with a folder that already holds a run.
enum class Existing { refuse, resume, overwrite };

/// The nearest folder above `path`, or `path` itself, that exists.
std::filesystem::path nearest_existing(const std::filesystem::path& path);

/// Throws as the constructor of RunFolder does where it must not take `path` or cannot write there;
/// leaves nothing behind.
void check_run_folder(const std::filesystem::path& path, const Json& resolved_graph,
                      Existing existing);

/// What a run left to go on from: a folder, and what its state.json holds.
struct Saved {
  std::filesystem::path folder;
  std::shared_ptr<const Json> state;
};

class RunFolder {
 public:
  /// Creates or takes over `path` and writes `graph.json`. Throws GraphError if it holds a run and
  /// neither resuming nor overwriting was asked for, or if the run there was of another graph;
  /// RunError if it cannot be written.
  RunFolder(std::filesystem::path path, const Json& resolved_graph, Existing existing);

  const std::filesystem::path& path() const { return path_; }
  /// True if there is an earlier run here to go on from.
  bool resumed() const { return resumed_; }

  /// The result of a step that ended, if it did.
  std::optional<Saved> finished(const std::string& step) const;
  /// The newest checkpoint inside a step, if there is one.
  std::optional<Saved> newest_checkpoint(const std::string& step) const;
  std::filesystem::path finished_path(const std::string& step) const;
  std::filesystem::path checkpoint_path(int64_t optimizer_steps) const;
  /// Removes all step checkpoints but the `keep` newest.
  void prune_checkpoints(int keep) const;

 private:
  std::filesystem::path path_;
  bool resumed_ = false;
};

/// Fills a folder under a temporary name, syncs it to the disk and renames it to `path`, replacing
/// what was there. Where `fill` throws, nothing is left behind.
void write_folder(const std::filesystem::path& path,
                  const std::function<void(const std::filesystem::path&)>& fill);
/// The same for one JSON file.
void write_json(const std::filesystem::path& path, const Json& value);
/// Throws RunError naming the file.
Json read_json(const std::filesystem::path& path);

}  // namespace flowqat::graph

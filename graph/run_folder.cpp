#include "graph/run_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <utility>

#include "graph/json_lines.h"
#include "graph/output_error.h"
#include "graph/same_graph.h"

namespace flowqat::graph {
namespace fs = std::filesystem;
namespace {

constexpr const char *kStep = "step-", *kAfter = "after-", *kAside = "set-aside";
/// Of the states: another number wherever they come to hold something else.
constexpr int kFormat = 3;

/// Whether something can be written there is known for certain only when it is: permissions, mounts
/// and quotas all have a say. A file without a name leaves nothing, even if the program is killed.
void check_writable(const fs::path& path) {
  const fs::path there = nearest_existing(path);
  const int file = ::open(there.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (file >= 0) {
    ::close(file);
    return;
  }
  int code = errno;
  if (code == EOPNOTSUPP || code == EISDIR || code == EINVAL) {  // no such files here
    std::string trial = (there / ".flowqat-XXXXXX").string();
    if (::mkdtemp(trial.data()) != nullptr) {
      ::rmdir(trial.c_str());
      return;
    }
    code = errno;
  }
  throw OutputError(path.string() + ": the run's folder cannot be written: " + there.string() +
                    ": " + std::generic_category().message(code) +
                    "; choose another one with --out");
}

/// By the graph that the run began with. Where that can be read no longer the states will tell.
void check_same_graph(const fs::path& path, const Json& graph) {
  fs::path file = path / kStatesFolder / kBegin / kGraphFile;
  std::string changes;
  try {
    try {
      read_saved(path / kStatesFolder / kBegin, path);
    } catch (const Damaged&) {
      file = path / kGraphFile;
    }
    changes = difference(read_json(file), graph);
  } catch (const RunError&) {
    return;
  }
  if (changes.empty()) return;
  throw GraphError(path.string() + ": cannot be resumed with another graph; it differs at " +
                   changes + " (what the run began with: " + file.string() + ")");
}

/// Whether the run may have what is in the folder.
void check_content(const fs::path& path, const Json& graph, Existing existing,
                   const std::vector<std::string>& outputs) {
  if (existing == Existing::resume) {
    if (holds_run(path)) return check_same_graph(path, graph);
    throw GraphError(path.string() + ": holds no run to resume" +
                     (is_half_cleared(path) ? ": the one that was there is being replaced" : "") +
                     "; without --resume one begins there");
  }
  if (existing == Existing::overwrite || is_half_cleared(path)) return;
  if (holds_run(path)) {
    throw GraphError(path.string() +
                     ": holds a run already; go on with --resume, replace it "
                     "with --overwrite, or choose another folder with --out");
  }
  const std::vector<fs::path> files = files_of_run(path, outputs);
  if (files.empty()) return;
  throw GraphError(
      path.string() + ": holds \"" + files.front().string() +
      "\", which the run would write, but no run; choose another folder with --out, or "
      "have it replaced with --overwrite");
}

/// The other checkpoints that a state cannot do without, by their optimizer steps.
std::set<int64_t> needs_of(const Json& state) { return state.value("needs", std::set<int64_t>()); }

}  // namespace

fs::path nearest_existing(const fs::path& path) {
  fs::path there = fs::absolute(path);
  while (!fs::exists(there) && there.has_relative_path()) there = there.parent_path();
  return there;
}

bool holds_run(const fs::path& path) {
  return !is_half_cleared(path) &&
         (fs::exists(path / kGraphFile) || fs::exists(path / kStatesFolder / kBegin / kGraphFile));
}

fs::path graph_of_run(const fs::path& path) {
  if (!holds_run(path)) {
    throw GraphError(path.string() + ": holds no run to resume (a run has a graph.json)");
  }
  try {
    read_json(path / kGraphFile);
    return path / kGraphFile;
  } catch (const RunError& error) {
    try {
      return read_saved(path / kStatesFolder / kBegin, path).folder / kGraphFile;
    } catch (const Damaged&) {
      throw GraphError(std::string(error.what()) +
                       "; name the graph that the run began with, as in flowqat run GRAPH --out " +
                       path.string() + " --resume");
    }
  }
}

void check_run_folder(const fs::path& path, const Json& resolved_graph, Existing existing) {
  check_content(path, resolved_graph, existing, {});
  check_writable(path);
  check_lock(path);
}

RunFolder::RunFolder(fs::path path, const Json& resolved_graph, Existing existing,
                     std::vector<std::string> outputs, Say say)
    : path_(std::move(path)),
      outputs_(std::move(outputs)),
      say_(std::move(say)),
      graph_checksum_(flowqat::graph::graph_checksum(resolved_graph)),
      resumed_(existing == Existing::resume) {
  try {
    check_content(path_, resolved_graph, existing, outputs_);
    check_writable(path_);
    fs::create_directories(path_);
    lock_.emplace(path_);
    if (!lock_->why_not().empty()) {
      this->say(path_.string() + ": cannot be locked (" + lock_->why_not() +
                "); see to it that no other process writes there");
    }
    check_content(path_, resolved_graph, existing, outputs_);  // as it is now that it is ours
    if (!resumed_) clear_run(path_, outputs_);
    sweep_run(path_, outputs_);
  } catch (const fs::filesystem_error& error) {
    throw OutputError(path_.string() +
                      ": the run's folder cannot be written: " + error.code().message());
  }
}

fs::path RunFolder::begin_path() const { return path_ / kStatesFolder / kBegin; }

std::optional<Saved> RunFolder::beginning() const {
  if (!resumed_ || !fs::exists(begin_path())) return std::nullopt;
  try {
    return read(begin_path());
  } catch (const Damaged& damage) {
    say(damage.what() + std::string("; it is written again, as what was given says"));
    set_aside(begin_path());
    return std::nullopt;
  }
}

void RunFolder::begin(const Json& resolved_graph, const RunInputs& inputs) {
  remove_whole(path_ / kStoppedFile);
  write_json(path_ / kGraphFile, resolved_graph);
  fs::create_directories(path_ / kStatesFolder);
  const auto before = beginning();
  if (before && before->state->at("inputs") == inputs.summary()) return;
  const Json first = before ? read_json(before->folder / kGraphFile) : resolved_graph;
  write(begin_path(), {{"outputs", outputs_}, {"inputs", inputs.summary()}}, {},
        [&](const fs::path& folder) {
          write_json(folder / kGraphFile, first);
          inputs.write_listings(folder);
        });
  sync_to_disk(path_);
}

void RunFolder::say(const std::string& line) const {
  if (say_) say_(line);
}

fs::path RunFolder::finished_path(const std::string& step) const {
  return path_ / kStatesFolder / (kAfter + plain_name(step));
}

fs::path RunFolder::checkpoint_path(int64_t optimizer_steps) const {
  return path_ / kStatesFolder / (kStep + std::to_string(optimizer_steps));
}

fs::path RunFolder::end_path() const { return path_ / kStatesFolder / kEnd; }

int64_t RunFolder::steps_of(const fs::path& checkpoint) {
  const std::string name = checkpoint.filename().string();
  const bool is_step = name.starts_with(kStep) && name.size() > 5 && name.size() < 24 &&
                       name.find_first_not_of("0123456789", 5) == std::string::npos;
  return is_step ? std::stoll(name.substr(5)) : -1;
}

std::vector<fs::path> RunFolder::checkpoints() const {
  std::vector<fs::path> found;
  if (!fs::is_directory(path_ / kStatesFolder)) return found;
  for (const auto& entry : fs::directory_iterator(path_ / kStatesFolder)) {
    if (steps_of(entry.path()) >= 0) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end(),
            [](const fs::path& a, const fs::path& b) { return steps_of(a) > steps_of(b); });
  return found;
}

Saved RunFolder::read(const fs::path& folder) const {
  Saved saved = read_saved(folder, path_);
  if (saved.state->value("format", 0) != kFormat) {
    throw Damaged(folder.string() + ": was written by another version of the program");
  }
  if (saved.state->value("graph", "") != graph_checksum_) {
    throw Damaged(folder.string() + ": is of another graph's run");
  }
  for (const int64_t steps : needs_of(*saved.state)) {
    const fs::path needed = checkpoint_path(steps);
    if (needed.filename() == folder.filename()) continue;
    try {
      read_saved(needed, path_);
    } catch (const Damaged& damage) {
      throw Damaged(std::string(damage.what()) + ", which " + folder.string() + " needs");
    }
  }
  return saved;
}

void RunFolder::write(const fs::path& folder, Json state, const std::vector<std::string>& outputs,
                      const Fill& fill) const {
  state["format"] = kFormat;
  state["graph"] = graph_checksum_;
  write_saved(folder, state, path_, outputs, fill);
}

void RunFolder::set_aside(const fs::path& folder) const {
  const fs::path aside = path_ / kStatesFolder / kAside;
  std::error_code error;
  fs::create_directories(aside, error);
  fs::path target = aside / folder.filename();
  for (int number = 2; fs::exists(target); ++number) {
    target = aside / (folder.filename().string() + "-" + std::to_string(number));
  }
  fs::rename(folder, target, error);
  if (error) throw OutputError(folder.string() + ": cannot be renamed: " + error.message());
}

void RunFolder::prune_checkpoints(int keep) const {
  const std::vector<fs::path> all = checkpoints();
  const size_t newest = std::min(static_cast<size_t>(std::max(keep, 1)), all.size());
  std::set<int64_t> needed;
  for (size_t i = 0; i < newest; ++i) {
    try {
      needed.merge(needs_of(read_json(all[i] / kStateFile)));
    } catch (const RunError&) {  // damaged: nothing will go on from it
    }
  }
  for (size_t i = newest; i < all.size(); ++i) {
    if (!needed.contains(steps_of(all[i]))) remove_whole(all[i]);
  }
}

std::optional<Json> summary_of_complete(const fs::path& run, const Json& resolved_graph,
                                        const RunFolder::Say& say) {
  const fs::path end = run / kStatesFolder / kEnd;
  if (!holds_run(run) || !fs::exists(end)) return std::nullopt;
  try {
    const Saved saved = read_saved(end, run);
    if (saved.state->at("graph") != graph_checksum(resolved_graph)) return std::nullopt;
    if (saved.state->at("lengths") != lengths_of(resolved_graph)) return std::nullopt;
    for (const auto& [file, state] :
         {std::pair(kMetricsFile, saved.state->at("metrics")),
          std::pair(kRejectedFile, saved.state->at("ledger").at("lines"))}) {
      if (const std::string why = JsonLines::why_not(run / file, state); !why.empty()) {
        throw Damaged(why);
      }
    }
    return read_json(run / kSummaryFile);
  } catch (const RunError& error) {
    say(std::string(error.what()) + "; the run was complete until then");
    return std::nullopt;
  }
}

}  // namespace flowqat::graph

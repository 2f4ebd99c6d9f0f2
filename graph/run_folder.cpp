#include "graph/run_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "graph/output_error.h"

namespace flowqat::graph {
namespace fs = std::filesystem;
namespace {

constexpr const char* kStep = "step-";

void sync(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY);
  if (file < 0 || ::fsync(file) != 0) {
    if (file >= 0) ::close(file);
    throw OutputError(path.string() + ": cannot be synced to the disk");
  }
  ::close(file);
}

void sync_tree(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) sync(entry.path());
  sync(folder);
}

fs::path beside(const fs::path& path, const char* suffix) {
  fs::path name = path;
  name += suffix;
  return name;
}

/// Whether a folder can be made there is known for certain only when one is made: permissions,
/// mounts and quotas all have a say.
void check_writable(const fs::path& path) {
  const fs::path there = nearest_existing(path);
  std::string trial = (there / ".flowqat-XXXXXX").string();
  if (::mkdtemp(trial.data()) == nullptr) {
    throw OutputError(path.string() + ": the run's folder cannot be written: " + there.string() +
                      ": " + std::generic_category().message(errno) +
                      "; choose another one with --out");
  }
  ::rmdir(trial.c_str());
}

/// Threads change nothing in what a run computes; where it stands changes nothing either.
Json comparable(Json graph) {
  graph.erase("threads");
  graph.erase("out");
  return graph;
}

void clear_run(const fs::path& folder) {
  for (const char* name : {"graph.json", "metrics.jsonl", "rejected.jsonl", "checkpoints", "float",
                           "model", "int8", "summary.json"}) {
    fs::remove_all(folder / name);
  }
}

int64_t step_number(const fs::path& checkpoint) {
  const std::string name = checkpoint.filename().string();
  if (!name.starts_with(kStep) || name.find_first_not_of("0123456789", 5) != std::string::npos ||
      name.size() == 5) {
    return -1;
  }
  return std::stoll(name.substr(5));
}

std::vector<fs::path> checkpoints_newest_first(const fs::path& run) {
  std::vector<fs::path> found;
  if (!fs::is_directory(run / "checkpoints")) return found;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints")) {
    if (step_number(entry.path()) >= 0) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end(),
            [](const fs::path& a, const fs::path& b) { return step_number(a) > step_number(b); });
  return found;
}

Saved read_saved(const fs::path& folder) {
  return {folder, std::make_shared<const Json>(read_json(folder / "state.json"))};
}

}  // namespace

fs::path nearest_existing(const fs::path& path) {
  fs::path there = fs::absolute(path);
  while (!fs::exists(there) && there.has_relative_path()) there = there.parent_path();
  return there;
}

void check_run_folder(const fs::path& path, const Json& resolved_graph, Existing existing) {
  check_writable(path);
  if (!fs::exists(path / "graph.json")) return;
  if (existing == Existing::refuse) {
    throw GraphError(path.string() +
                     ": holds a run already; go on with --resume, replace it "
                     "with --overwrite, or choose another folder with --out");
  }
  if (existing != Existing::resume) return;
  const Json before = comparable(read_json(path / "graph.json"));
  const Json now = comparable(resolved_graph);
  if (before == now) return;
  const auto changes = Json::diff(before, now);
  throw GraphError(path.string() + ": cannot be resumed with another graph; it differs at " +
                   changes.front().at("path").get<std::string>() +
                   " (what the run began with: " + (path / "graph.json").string() + ")");
}

RunFolder::RunFolder(fs::path path, const Json& resolved_graph, Existing existing)
    : path_(std::move(path)) {
  try {
    check_run_folder(path_, resolved_graph, existing);
    if (fs::exists(path_ / "graph.json")) {
      if (existing == Existing::overwrite) clear_run(path_);
      resumed_ = existing == Existing::resume;
    }
    fs::create_directories(path_ / "checkpoints");
    write_json(path_ / "graph.json", resolved_graph);
  } catch (const fs::filesystem_error& error) {
    throw OutputError(path_.string() +
                      ": the run's folder cannot be written: " + error.code().message());
  }
}

fs::path RunFolder::finished_path(const std::string& step) const {
  return path_ / "checkpoints" / step;
}

fs::path RunFolder::checkpoint_path(int64_t optimizer_steps) const {
  return path_ / "checkpoints" / (kStep + std::to_string(optimizer_steps));
}

std::optional<Saved> RunFolder::finished(const std::string& step) const {
  if (!resumed_ || !fs::exists(finished_path(step) / "state.json")) return std::nullopt;
  return read_saved(finished_path(step));
}

std::optional<Saved> RunFolder::newest_checkpoint(const std::string& step) const {
  if (!resumed_) return std::nullopt;
  for (const fs::path& folder : checkpoints_newest_first(path_)) {
    Saved saved = read_saved(folder);
    if (saved.state->at("step") == step) return saved;
  }
  return std::nullopt;
}

void RunFolder::prune_checkpoints(int keep) const {
  const std::vector<fs::path> all = checkpoints_newest_first(path_);
  for (size_t i = static_cast<size_t>(std::max(keep, 1)); i < all.size(); ++i)
    fs::remove_all(all[i]);
}

void write_folder(const fs::path& path, const std::function<void(const fs::path&)>& fill) try {
  const fs::path partial = beside(path, ".partial"), replaced = beside(path, ".replaced");
  fs::remove_all(partial);
  fs::create_directories(partial);
  try {
    fill(partial);
    sync_tree(partial);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
    throw;
  }
  fs::remove_all(replaced);
  if (fs::exists(path)) fs::rename(path, replaced);
  fs::rename(partial, path);
  sync(path.parent_path().empty() ? fs::path(".") : path.parent_path());
  fs::remove_all(replaced);
} catch (const fs::filesystem_error& error) {
  throw OutputError(path.string() + ": cannot be written: " + error.code().message());
}

void write_json(const fs::path& path, const Json& value) {
  const fs::path partial = beside(path, ".partial");
  {
    std::ofstream file(partial);
    file << value.dump(2, ' ', false, Json::error_handler_t::replace) << "\n" << std::flush;
    if (!file) throw OutputError(path.string() + ": cannot be written");
  }
  sync(partial);
  fs::rename(partial, path);
}

Json read_json(const fs::path& path) {
  std::ifstream file(path);
  Json value = Json::parse(file, nullptr, false);
  if (!file || value.is_discarded()) {
    throw RunError(path.string() +
                   ": cannot be read as JSON; start the run afresh with --overwrite");
  }
  return value;
}

}  // namespace flowqat::graph

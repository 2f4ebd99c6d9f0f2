#include "cli/run_list.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <system_error>
#include <tuple>

#include "base/json_text.h"
#include "graph/error.h"
#include "graph/run_files.h"
#include "graph/run_folder.h"
#include "graph/run_standing.h"
#include "graph/whole_files.h"

namespace flowqat::cli {
namespace fs = std::filesystem;
namespace {

using graph::Json;

constexpr int most_levels = 6;

Json parsed(const std::string& line) try {
  return parse_json<Json>(line);
} catch (const JsonError&) {
  return nullptr;
}

/// Reads what metrics.jsonl tells of steps and error rates. Of a hundred thousand lines few are
/// parsed: those with an error rate, and the last one of each node with a step.
void read_metrics(const fs::path& path, ListedRun& run) {
  std::ifstream file(path);
  std::map<std::string, std::string> last;  // by the line's beginning, which names the node
  for (std::string line; std::getline(file, line);) {
    if (line.find("\"step\":") != std::string::npos) last[line.substr(0, line.find(','))] = line;
    if (line.find("\"wer\":") == std::string::npos) continue;
    const Json told = parsed(line);
    if (!told.is_object() || !told.contains("wer") || !told["wer"].is_number()) continue;
    const double wer = told["wer"].get<double>();
    if (!(wer >= 0) || (run.best_wer >= 0 && wer >= run.best_wer)) continue;
    run.best_wer = wer;
    const auto text = [&](const char* key) {
      const auto found = told.find(key);
      return found != told.end() && found->is_string() ? found->get<std::string>() : "";
    };
    run.best = text("node");
    if (!text("model").empty()) run.best += ": " + text("model");
    if (const auto step = told.find("step"); step != told.end() && step->is_number_integer()) {
      run.best += ", step " + std::to_string(step->get<int64_t>());
    }
  }
  for (const auto& [node, line] : last) {
    const Json told = parsed(line);
    if (!told.is_object()) continue;
    const auto step = told.find("step");
    if (step != told.end() && step->is_number_integer()) run.step += step->get<int64_t>();
  }
}

int64_t changed_s(const fs::path& run) {
  int64_t latest = 0;
  for (const char* name : {graph::kMetricsFile, graph::kGraphFile, graph::kSummaryFile}) {
    std::error_code error;
    const auto time = fs::last_write_time(run / name, error);
    if (error) continue;
    const auto since = std::chrono::file_clock::to_sys(time).time_since_epoch();
    latest =
        std::max<int64_t>(latest, std::chrono::duration_cast<std::chrono::seconds>(since).count());
  }
  return latest;
}

ListedRun listed(const fs::path& path) {
  ListedRun run{.path = path.string(), .state = "broken"};
  run.changed_s = changed_s(path);
  try {
    const graph::RunStanding standing = graph::standing_of(path);
    const auto resolved = std::make_shared<const Json>(graph::read_json(graph::graph_of_run(path)));
    if (!resolved->is_object() || !resolved->contains("nodes") ||
        !resolved->at("nodes").is_object()) {
      throw graph::RunError((path / graph::kGraphFile).string() + ": is no graph");
    }
    run.graph = resolved;
    run.state = graph::state_name(standing.state);
    run.why = standing.why;
  } catch (const std::exception& error) {
    run.why = error.what();
  }
  read_metrics(path / graph::kMetricsFile, run);
  return run;
}

/// A run, or one that lost its graph.
bool looks_like_run(const fs::path& path) {
  std::error_code none;
  const bool has_metrics = fs::exists(path / graph::kMetricsFile, none);
  return has_metrics || graph::is_half_cleared(path) ||
         fs::exists(path / graph::kStatesFolder / "begin" / graph::kGraphFile, none);
}

void search(const fs::path& folder, int levels, std::vector<ListedRun>& found) {
  try {
    if (looks_like_run(folder)) {
      found.push_back(listed(folder));
      return;
    }
  } catch (const fs::filesystem_error& error) {  // a folder that may not be looked into
    found.push_back({.path = folder.string(), .state = "broken", .why = error.code().message()});
    return;
  }
  if (levels == 0) return;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const bool hidden = entry.path().filename().string().starts_with('.');
    if (!hidden && !entry.is_symlink(none) && entry.is_directory(none)) {
      search(entry.path(), levels - 1, found);
    }
  }
}

}  // namespace

std::vector<ListedRun> list_runs(const fs::path& folder, RunOrder order) {
  std::error_code none;
  if (!fs::is_directory(folder, none)) {
    throw graph::GraphError(folder.string() +
                            ": is no folder; name the one that holds the runs, as in flowqat runs "
                            "runs");
  }
  std::vector<ListedRun> runs;
  search(folder, most_levels, runs);
  const auto key = [order](const ListedRun& run) {
    const double best = run.best_wer < 0 ? std::numeric_limits<double>::infinity() : run.best_wer;
    return std::tuple(order == RunOrder::changed ? -run.changed_s : 0,
                      order == RunOrder::best ? best : 0.0, run.path);
  };
  std::sort(runs.begin(), runs.end(),
            [&](const ListedRun& left, const ListedRun& right) { return key(left) < key(right); });
  find_differences(runs);
  return runs;
}

}  // namespace flowqat::cli

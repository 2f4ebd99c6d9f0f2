#include "graph/run_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "graph/output_error.h"
#include "graph/saved_state.h"
#include "graph/whole_files.h"

namespace flowqat::graph {
namespace fs = std::filesystem;
namespace {

constexpr const char* kClearing = ".removing";

bool matches(const std::string& name, const std::string& pattern) {
  const size_t star = pattern.find('*');
  if (star == std::string::npos) return name == pattern;
  return name.size() >= pattern.size() - 1 && name.starts_with(pattern.substr(0, star)) &&
         name.ends_with(pattern.substr(star + 1));
}

std::vector<fs::path> files_matching(const fs::path& run, const std::string& pattern) {
  std::vector<fs::path> found;
  if (pattern.find('*') == std::string::npos) {
    if (fs::exists(fs::symlink_status(run / pattern))) found.emplace_back(pattern);
    return found;
  }
  const fs::path folder = (run / pattern).parent_path();
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (matches(entry.path().filename().string(), fs::path(pattern).filename().string())) {
      found.push_back(entry.path().lexically_relative(run));
    }
  }
  return found;
}

/// What the nodes of the run that is there write; before it said so, these three.
std::vector<std::string> outputs_of(const fs::path& run) {
  for (const fs::path& folder : {run / kStatesFolder, run / kClearing / kStatesFolder}) {
    try {
      return read_saved(folder / kBegin, run).state->at("outputs").get<std::vector<std::string>>();
    } catch (const std::exception&) {
      continue;  // not there, or damaged
    }
  }
  return {"float", "model", "int8"};
}

}  // namespace

const std::set<std::string>& own_files() {
  static const std::set<std::string> names{kGraphFile,    kMetricsFile, kRejectedFile, kSummaryFile,
                                           kStatesFolder, kLockFile,    kStoppedFile,  kReportFile};
  return names;
}

std::vector<fs::path> files_of_run(const fs::path& run, const std::vector<std::string>& outputs) {
  std::vector<fs::path> files;
  for (const char* name :
       {kStatesFolder, kSummaryFile, kStoppedFile, kReportFile, kMetricsFile, kRejectedFile}) {
    if (fs::exists(run / name)) files.emplace_back(name);
  }
  std::vector<std::string> patterns{std::string(kEventsBegin) + "*" + kEventsEnd};
  patterns.insert(patterns.end(), outputs.begin(), outputs.end());
  for (const std::string& pattern : patterns) {
    for (const fs::path& file : files_matching(run, pattern)) {
      if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
    }
  }
  if (fs::exists(run / kGraphFile)) files.emplace_back(kGraphFile);
  return files;
}

bool is_half_cleared(const fs::path& run) { return fs::exists(run / kClearing / kStatesFolder); }

void clear_run(const fs::path& run, const std::vector<std::string>& outputs) try {
  std::vector<std::string> all = outputs_of(run);
  all.insert(all.end(), outputs.begin(), outputs.end());
  const fs::path clearing = run / kClearing;
  fs::create_directories(clearing);
  // The states go first: from then on this is no run, but one that is being cleared.
  if (!is_half_cleared(run)) fs::create_directories(run / kStatesFolder);
  for (const fs::path& file : files_of_run(run, all)) {
    const fs::path target = clearing / file;
    fs::create_directories(target.parent_path());
    fs::remove_all(target);
    fs::rename(run / file, target);
  }
  sync_to_disk(run);
  fs::remove_all(clearing);
  sweep_run(run, all);
} catch (const fs::filesystem_error& error) {
  throw OutputError(error.path1().string() + ": cannot be removed: " + error.code().message());
}

void sweep_run(const fs::path& run, const std::vector<std::string>& outputs) try {
  if (!is_half_cleared(run)) fs::remove_all(run / kClearing);
  for (const std::string& name : own_files()) remove_leftovers(run / name);
  fs::remove(run / kEventsPartial);
  for (const std::string& name : outputs) {
    for (const char* suffix : {".partial", ".removing"}) {
      for (const fs::path& file : files_matching(run, name + suffix)) fs::remove_all(run / file);
    }
  }
  std::error_code none;
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(run / kStatesFolder, none)) {
    const std::string suffix = entry.path().extension().string();
    if (suffix == ".partial" || suffix == ".removing") left.push_back(entry.path());
  }
  for (const fs::path& path : left) fs::remove_all(path);
} catch (const fs::filesystem_error& error) {
  throw OutputError(error.path1().string() + ": cannot be removed: " + error.code().message());
}

}  // namespace flowqat::graph

#include "report/run_record.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "graph/error.h"
#include "graph/output_error.h"
#include "graph/run_files.h"
#include "graph/whole_files.h"
#include "report/html.h"
#include "report/metric_lines.h"
#include "report/run_page.h"
#include "report/worst_utterances.h"

namespace flowqat::report {
namespace fs = std::filesystem;
namespace {

constexpr std::chrono::seconds shortest_wait{2};
constexpr int waits_for_each = 100;  ///< times as long as the page took

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char text[64] = "";
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  return text;
}

/// Whole or not at all for whoever reads it; what a machine that goes down loses of it is made
/// again.
void replace(const fs::path& path, const std::string& text) {
  fs::path partial = path;
  partial += ".partial";
  const auto fail = [&] {
    const std::string why = std::generic_category().message(errno != 0 ? errno : EIO);
    std::error_code ignored;
    fs::remove(partial, ignored);
    throw graph::OutputError(path.string() + ": cannot be written: " + why);
  };
  errno = 0;
  std::ofstream file(partial, std::ios::binary);
  file << text << std::flush;
  if (!file) fail();
  file.close();
  if (std::rename(partial.c_str(), path.c_str()) != 0) fail();
}

/// Null where there is none, or it is none.
graph::Json json_if_any(const fs::path& path) try {
  return graph::read_json(path);
} catch (const graph::RunError&) {
  return nullptr;
}

}  // namespace

RunRecord::RunRecord()
    : graph_(std::make_unique<graph::Json>()), summary_(std::make_unique<graph::Json>()) {}

RunRecord::~RunRecord() = default;

void RunRecord::begin(const fs::path& run) {
  run_ = run;
  *graph_ = json_if_any(run_ / graph::kGraphFile);
  rejected_ = std::make_unique<RejectedFigures>(run_ / graph::kRejectedFile);
  events_ = std::make_unique<EventFile>(run_);
  for_each_line(run_ / graph::kMetricsFile, [this](const graph::Json& line) { look_at(line); });
  events_->put_in_place();
  write_page(graph::RunState::running);
}

void RunRecord::look_at(const graph::Json& line) {
  events_->add(line);
  figures_.add(line);
  // nodes/evaluate.cpp writes a list a model; what is evaluated while it is trained has none.
  if (line.contains("evaluation")) return;
  const auto node = line.find("node"), model = line.find("model");
  if (node == line.end() || model == line.end() || !node->is_string() || !model->is_string()) {
    return;
  }
  const fs::path list = node->get<std::string>() + "-" + model->get<std::string>() + ".jsonl";
  if (list == list.filename()) worst_list_ = list.string();
}

void RunRecord::metric(const graph::Json& line) {
  look_at(line);
  if (Clock::now() >= next_page_) write_page(graph::RunState::running);
}

std::vector<std::string> RunRecord::finish() {
  *summary_ = json_if_any(run_ / graph::kSummaryFile);
  write_page(graph::RunState::finished);
  graph::sync_to_disk(run_ / graph::kReportFile);
  return {graph::kReportFile};
}

void RunRecord::stop(graph::RunState state, const std::string& why) {
  if (rejected_) write_page(state, why);
}

void RunRecord::write_page(graph::RunState state, const std::string& why) {
  const auto begun = Clock::now();
  rejected_->read();
  if (!worst_list_.empty()) {
    const std::string worst = worst_utterances(run_ / worst_list_);
    worst_ = worst.empty()
                 ? ""
                 : "<h2>Worst utterances: " + escape_html(fs::path(worst_list_).stem().string()) +
                       "</h2>\n" + worst;
    worst_list_.clear();
  }
  replace(run_ / graph::kReportFile, run_page({.title = run_.string(),
                                               .state = state,
                                               .why = why,
                                               .written = now_text(),
                                               .figures = figures_,
                                               .rejected = *rejected_,
                                               .worst = worst_,
                                               .graph = *graph_,
                                               .summary = *summary_}));
  const auto took = Clock::now() - begun;
  next_page_ = Clock::now() + std::max<Clock::duration>(shortest_wait, waits_for_each * took);
}

}  // namespace flowqat::report

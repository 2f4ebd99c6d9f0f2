#include "report/run_record.h"

#include <nlohmann/json.hpp>

#include "graph/run_files.h"
#include "report/metric_lines.h"

namespace flowqat::report {

void RunRecord::begin(const std::filesystem::path& run) {
  events_ = std::make_unique<EventFile>(run);
  for_each_line(run / graph::kMetricsFile, [this](const graph::Json& line) { events_->add(line); });
  events_->put_in_place();
}

void RunRecord::metric(const graph::Json& line) { events_->add(line); }

std::vector<std::string> RunRecord::finish() { return {}; }

void RunRecord::stop(graph::RunState, const std::string&) {}

}  // namespace flowqat::report

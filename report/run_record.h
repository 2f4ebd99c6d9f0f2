#pragma once
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/json.h"
#include "graph/run_listener.h"
#include "report/event_file.h"
#include "report/rejected_figures.h"
#include "report/run_figures.h"

namespace flowqat::report {

/// What a run draws of itself in its folder while it goes on: TensorBoard's events, and
/// report.html, which is written now and then and at the end, and takes at most a hundredth of the
/// time.
class RunRecord : public graph::RunListener {
 public:
  RunRecord();
  ~RunRecord() override;
  void begin(const std::filesystem::path& run) override;
  void metric(const graph::Json& line) override;
  std::vector<std::string> finish() override;
  void stop(graph::RunState state, const std::string& why) override;

 private:
  using Clock = std::chrono::steady_clock;

  void look_at(const graph::Json& line);
  void write_page(graph::RunState state, const std::string& why = "");

  std::filesystem::path run_;
  std::unique_ptr<EventFile> events_;
  RunFigures figures_;
  std::unique_ptr<RejectedFigures> rejected_;
  std::string worst_;       ///< of the model that was evaluated last
  std::string worst_list_;  ///< its list, once it is to be read
  std::unique_ptr<graph::Json> graph_, summary_;
  Clock::time_point next_page_{};
};

}  // namespace flowqat::report

#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "graph/run_listener.h"
#include "report/event_file.h"

namespace flowqat::report {

/// What a run draws of itself in its folder while it goes on: TensorBoard's events.
class RunRecord : public graph::RunListener {
 public:
  void begin(const std::filesystem::path& run) override;
  void metric(const graph::Json& line) override;
  std::vector<std::string> finish() override;
  void stop(graph::RunState state, const std::string& why) override;

 private:
  std::unique_ptr<EventFile> events_;
};

}  // namespace flowqat::report

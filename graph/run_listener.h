#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "graph/json.h"

namespace flowqat::graph {

/// How a run stands: `failed` where it ended by an error, `interrupted` where a signal asked it to
/// stop, or it ended without a word.
enum class RunState { running, finished, interrupted, failed };

/// Who is told of a run as it goes, beside the person at the terminal: whoever makes pictures of
/// it. What it throws ends the run.
class RunListener {
 public:
  virtual ~RunListener() = default;
  /// Before the first step: graph.json, metrics.jsonl and rejected.jsonl in `run` are as the run
  /// goes on from them.
  virtual void begin(const std::filesystem::path& run) = 0;
  /// A line that has just come to metrics.jsonl, as it stands there.
  virtual void metric(const Json& line) = 0;
  /// Every step is done and summary.json is there. Returns the files in `run` without which the run
  /// is not complete.
  virtual std::vector<std::string> finish() = 0;
  /// The run ends before that; `state` says how, and `why` in words.
  virtual void stop(RunState state, const std::string& why) = 0;
};

}  // namespace flowqat::graph

/// What the lines of metrics.jsonl come to, in bounded room however many they are.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "graph/json.h"
#include "report/metric_lines.h"
#include "report/series.h"

namespace flowqat::report {

/// Of a train node. Steps on the axes count over the whole run.
struct TrainFigures {
  std::string node;
  Series loss, gradient_norm, learning_rate;
  Series x_realtime, starved_share;  ///< between a line and the next
  int64_t step = 0, epoch = 0;
  double audio_s = 0, wall_s = 0, waited_s = 0;  ///< since its first step
};

/// A model's error rates: those of an evaluate node, or while it is trained.
struct EvaluationFigures {
  std::string node, model;
  bool while_training = false;
  Series wer, cer, loss;
  double x_realtime = 0;  ///< of the last one
};

/// A quantizer's range by and by: the smallest and the largest number that its grid holds.
struct RangeFigures {
  std::string node, layer, tensor;  ///< the train node; "input", "weight", "output"
  Series lower, upper;
  /// By how much the range has become wider (2: by a factor of two) or narrower.
  double change() const;
};

class RunFigures {
 public:
  void add(const graph::Json& line);

  const std::deque<TrainFigures>& trained() const { return trained_; }
  const std::deque<EvaluationFigures>& evaluated() const { return evaluated_; }
  const std::deque<RangeFigures>& ranges() const { return ranges_; }
  int64_t lines() const { return lines_; }
  int64_t step() const { return step_; }  ///< of the whole run

 private:
  void add_training(const graph::Json& line, const std::string& node, double step);
  void add_ranges(const graph::Json& ranges, const std::string& node, double step);

  RunSteps steps_;
  int64_t lines_ = 0, step_ = 0;
  std::deque<TrainFigures> trained_;  // deques: charts keep pointers
  std::deque<EvaluationFigures> evaluated_;
  std::deque<RangeFigures> ranges_;
};

}  // namespace flowqat::report

#pragma once
#include "nodes/training/training.h"

namespace flowqat::nodes {

/// Writes to metrics.jsonl, a hundred times at most in a training, from where to where each
/// quantizer's grid reaches: {"step", "ranges": {LAYER: {"input": [lowest, highest], ...}}}.
class RangeLog : public Attendant {
 public:
  void begin(Training& training) override;
  void after_step(Training& training) override;
  void end(Training& training) override;

  /// Steps between two records.
  static int64_t interval(int64_t steps, int64_t log_every_steps);

 private:
  static void log(const Training& training);
};

}  // namespace flowqat::nodes

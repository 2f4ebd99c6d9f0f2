#pragma once
#include "nodes/training/training.h"

namespace flowqat::nodes {

/// metrics.jsonl, the line of progress, and the training's part of summary.json.
class MetricsLog : public Attendant {
 public:
  void after_step(Training& training) override;
  void after_epoch(Training& training) override;
  void end(Training& training) override;

 private:
  void log(Training& training);
};

}  // namespace flowqat::nodes

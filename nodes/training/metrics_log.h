#pragma once
#include <cstdint>
#include <string>

#include "nodes/training/training.h"

namespace flowqat::nodes {

/// metrics.jsonl, the line of progress, and the training's part of summary.json.
class MetricsLog : public Attendant {
 public:
  void after_step(Training& training) override;
  void after_epoch(Training& training) override;
  void end(Training& training) override;
  std::string key() const override { return "metrics_log"; }
  graph::Json state() const override;
  void restore(const graph::Json& state) override;

 private:
  void log(Training& training);

  int64_t overflows_ = 0;  ///< updates that were left out for the loss scale
};

}  // namespace flowqat::nodes

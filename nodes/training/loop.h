#pragma once
#include "graph/pipeline.h"
#include "io/text/text_normalizer.h"
#include "nodes/training/training.h"

namespace flowqat::nodes {

/// The steps of a training, from where its progress stands to its end.
class TrainingLoop {
 public:
  /// All outlive the loop. `seed`: the node's.
  TrainingLoop(Training& training, graph::Pipeline& pipeline, const io::TextRules& rules,
               uint64_t seed)
      : training_(training), pipeline_(pipeline), rules_(rules), seed_(seed) {}

  /// How many steps the whole training has, as planned.
  static int64_t count_steps(const graph::Pipeline& pipeline, const std::string& consumer,
                             const TrainParams& params);

  void run();

 private:
  void run_epoch();
  void step(const graph::Batch& batch);

  Training& training_;
  graph::Pipeline& pipeline_;
  io::TextRules rules_;
  uint64_t seed_;
};

}  // namespace flowqat::nodes

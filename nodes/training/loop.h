#pragma once
#include "graph/pipeline.h"
#include "io/text/text_normalizer.h"
#include "nodes/training/training.h"

namespace flowqat::nodes {

/// The steps of a training, from where its progress stands to its end. A step is a round of
/// batches_per_step batches of the epoch as planned, whoever works on them; what is left of an
/// epoch is a shorter round, a step like the others. Of several processes each hears its own
/// batches of a round, which may be none, and all come to the update.
class TrainingLoop {
 public:
  /// All outlive the loop. `seed`: the node's.
  TrainingLoop(Training& training, graph::Pipeline& pipeline, const io::TextRules& rules,
               uint64_t seed)
      : training_(training), pipeline_(pipeline), rules_(rules), seed_(seed) {}

  /// Plans the whole training: sets its steps and epochs.
  static void plan_length(Training& training, const graph::Pipeline& pipeline);

  void run();

 private:
  bool is_over() const { return training_.is_over || training_.progress.step >= training_.steps; }
  void run_epoch();
  std::shared_ptr<const graph::Batch> draw(graph::Stream& stream);
  bool is_last_of_share(int64_t batches) const;
  void hear(const graph::Batch& batch, bool is_last);
  void update();
  void put_back();

  Training& training_;
  graph::Pipeline& pipeline_;
  io::TextRules rules_;
  uint64_t seed_;
  bool is_first_ = true;      ///< batch of this process
  bool may_run_out_ = false;  ///< of the device's memory, in one process alone
  /// Before the batch at hand was drawn, where that may be.
  struct Before {
    bool is_within_round = false;
    graph::Json drawn = nullptr;
  } before_;
};

}  // namespace flowqat::nodes

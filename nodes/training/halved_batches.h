#pragma once
#include <string>

#include "nodes/training/training.h"

namespace flowqat::nodes {

/// Tells of the batches for which the device had not the memory, and which were heard in halves.
class HalvedBatches : public Attendant {
 public:
  void after_batch(Training& training, const Heard& heard) override;
  void end(Training& training) override;
  std::string key() const override { return "halved_batches"; }
  graph::Json state() const override { return count_; }
  void restore(const graph::Json& state) override { count_ = state.get<int64_t>(); }

 private:
  int64_t count_ = 0;
};

/// Ends a run whose device has not even the memory for a half of the batch, which is to be drawn
/// again: saves a checkpoint of what was before it, unless others of several processes wait, and
/// throws RunError with the utterances and what to do.
[[noreturn]] void end_out_of_memory(Training& training, const ModelBatch& batch,
                                    const model::OutOfMemory& error);
/// The same where it has none left for the update itself, of which nothing is saved.
[[noreturn]] void end_out_of_memory(const Training& training, const model::OutOfMemory& error);

}  // namespace flowqat::nodes

#pragma once
#include <chrono>

#include "nodes/training/training.h"

namespace flowqat::nodes {

/// Writes a checkpoint. Within a round it is named by the step that the round is of.
void save_checkpoint(Training& training);

/// Saves now and then all that a run needs to go on, where another attendant wants it, and once
/// more when a signal asks the run to stop, in the middle of a round too. The last of the
/// attendants, because it saves what the others keep.
class Checkpoints : public Attendant {
 public:
  void begin(Training& training) override;
  void after_batch(Training& training, const Heard& heard) override;
  void after_step(Training& training) override;
  void after_epoch(Training& training) override;

 private:
  void save_and_stop(Training& training);
  void save_if(bool is_due, Training& training);

  std::chrono::steady_clock::time_point last_;
};

}  // namespace flowqat::nodes

#pragma once
#include <chrono>

#include "nodes/training/training.h"

namespace flowqat::nodes {

/// Saves now and then all that a run needs to go on, and once more when a signal asks it to stop.
/// The last of the attendants, because it saves what the others keep.
class Checkpoints : public Attendant {
 public:
  void begin(Training& training) override;
  void after_step(Training& training) override;

 private:
  std::chrono::steady_clock::time_point last_;
};

}  // namespace flowqat::nodes

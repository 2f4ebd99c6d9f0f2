#pragma once
#include "nodes/training/training.h"

namespace flowqat::nodes {

/// Gives on the weights' moving average in the place of the last weights, where the graph asks for
/// one. A checkpoint holds both.
class AveragedWeights : public Attendant {
 public:
  void end(Training& training) override {
    if (training.params.options.ema_decay > 0) training.trainer.exchange_average();
  }
};

}  // namespace flowqat::nodes

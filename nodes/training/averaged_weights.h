#pragma once
#include "nodes/training/training.h"

namespace flowqat::nodes {

/// While it lives, the model has the weights that the training would hand on: their moving average,
/// where the graph asks for one.
class HandedOnWeights {
 public:
  explicit HandedOnWeights(Training& training) : training_(training) { exchange(); }
  ~HandedOnWeights() { exchange(); }
  HandedOnWeights(const HandedOnWeights&) = delete;
  HandedOnWeights& operator=(const HandedOnWeights&) = delete;

 private:
  void exchange() {
    if (training_.params.options.ema_decay > 0) training_.trainer.exchange_average();
  }
  Training& training_;
};

/// Gives on the weights' moving average in the place of the last weights, where the graph asks for
/// one. A checkpoint holds both.
class AveragedWeights : public Attendant {
 public:
  void end(Training& training) override {
    if (training.params.options.ema_decay > 0) training.trainer.exchange_average();
  }
};

}  // namespace flowqat::nodes

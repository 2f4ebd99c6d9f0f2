#pragma once
#include <cstdint>
#include <vector>

#include "model/torch/base/tensor.h"
#include "model/torch/training/kept_ranges.h"

namespace flowqat::model {

/// What a round has come to beside the gradients, which stand at the parameters. Rounds of one
/// batch have means in it, with denominators of 1; others sums.
struct Round {
  int64_t batches = 0;
  double denominator = 0;  ///< of the CTC loss and its gradient
  int64_t frames = 0;      ///< of speech, where there is a teacher
  at::Tensor losses;       ///< float64 [3] on the device: CTC, distillation, infinite losses
  std::vector<at::Tensor> finite;  ///< for every batch, bool [rows] on the device
  /// The gradients of distillation, as the parameters are ordered; undefined where there are none.
  std::vector<at::Tensor> taught;
  KeptRanges ranges;
};

}  // namespace flowqat::model

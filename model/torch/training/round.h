#pragma once
#include <cstdint>
#include <vector>

#include "model/torch/base/tensor.h"
#include "model/torch/training/kept_ranges.h"
#include "model/torch/training/widest_ranges.h"

namespace flowqat::model {

/// What a round has come to beside the gradients, which stand at the parameters. Rounds of one
/// batch have means in it, with denominators of 1; others, and all in a group, sums.
struct Round {
  int64_t batches = 0;
  bool has_own = false;    ///< this process has trained on one of them, and not only loaded them
  double denominator = 0;  ///< of the CTC loss and its gradient
  int64_t frames = 0;      ///< of speech, where there is a teacher
  /// The three above and the gradients are those of all processes of the group.
  bool is_of_all = false;
  at::Tensor losses;  ///< float64 [3] on the device: CTC, distillation, infinite losses
  /// For every batch of this process.
  struct Finite {
    int64_t batch;    ///< of the round
    at::Tensor rows;  ///< bool [rows] on the device
  };
  std::vector<Finite> finite;
  /// The gradients of distillation, as the parameters are ordered; undefined where there are none.
  std::vector<at::Tensor> taught;
  KeptRanges ranges;    ///< as the round found them
  WidestRanges widest;  ///< behind its batches; of rounds that have but one, nothing
};

}  // namespace flowqat::model

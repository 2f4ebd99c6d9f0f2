#pragma once
#include <utility>
#include <vector>

#include "model/torch/base/tensor.h"
#include "model/torch/network/wav2vec2.h"

namespace flowqat::model {

/// The grids that a network's weights are rounded to, to come back to them: a range that follows
/// other weights for a while would not find its last bit again.
class WeightGrids {
 public:
  WeightGrids() = default;
  explicit WeightGrids(const Wav2Vec2ForCtc& network);
  /// Learned steps are parameters, and left as they are.
  void restore() const;

 private:
  std::vector<std::pair<at::Tensor, at::Tensor>> buffers_;  // with a copy each
};

}  // namespace flowqat::model

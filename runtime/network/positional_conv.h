/// What tells the transformer where a frame stands: a grouped convolution over frames (wav2vec 2.0,
/// arXiv:2006.11477, section 2).
#pragma once
#include <vector>

#include "model/config.h"
#include "runtime/network/weights.h"

namespace flowqat::runtime {

/// Its weight norm is folded. One product a group over overlapping windows, so that neither the
/// windows nor a transposed copy of the frames are written down.
class PositionalConv {
 public:
  PositionalConv(const Kernels& kernels, const model::Config& config, Weights& weights);

  /// y = x + activation(convolution(x)): x, y [frames, hidden] of one row, padded with kernel / 2
  /// zeros on both sides; not the same memory.
  void add(Context& context, const float* x, int64_t frames, float* y) const;

 private:
  int64_t kernel_, width_;  // width: channels of a group
  std::vector<Layer> groups_;
};

}  // namespace flowqat::runtime

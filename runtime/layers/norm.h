/// Residual sum, layer norm and quantization of frames in one pass.
#pragma once
#include <vector>

#include "runtime/layers/layer.h"

namespace flowqat::runtime {

/// A layer norm over channels (arXiv:1607.06450).
struct LayerNorm {
  std::vector<float> weight, bias;  ///< [channels]
  float epsilon = 1e-5f;
  int64_t channels() const { return static_cast<int64_t>(weight.size()); }
};

/// What is summed up before a norm: floats, bytes on a grid, or both.
struct Summands {
  const float* floats = nullptr;   ///< [frames, channels]
  const uint8_t* bytes = nullptr;  ///< the same
  ByteGrid grid;                   ///< of the bytes
};

/// Where the results go; null for what is not wanted. `sum` may be the floats that are summed.
struct NormOutput {
  float* sum = nullptr;      ///< the summands' sum
  float* normed = nullptr;   ///< its norm
  uint8_t* bytes = nullptr;  ///< its norm on `grid`, times `factor` (null: none)
  ByteGrid grid;
  const float* factor = nullptr;
};

void add_norm(Context& context, const LayerNorm& norm, const Summands& x, int64_t frames,
              const NormOutput& y);

}  // namespace flowqat::runtime

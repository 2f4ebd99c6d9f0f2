/// What values a layer's input, weight and output take, and the grids that quantize them: plain
/// data, no LibTorch.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/quantization.h"

namespace flowqat::model {

struct AudioBatch;

/// Bins of one width, side by side: the first holds `low` to `low + width`.
struct ValueHistogram {
  double low = 0, width = 0;
  std::vector<int64_t> counts;
};

/// The integers of a tensor: q from `lowest` to `highest` stands for (q - zero_point) scale.
struct Grid {
  std::vector<double> scale;        ///< one, or one for every output channel
  std::vector<int64_t> zero_point;  ///< as many
  int64_t lowest = 0, highest = 0;
};

/// All values of one tensor that were seen.
struct ValueRange {
  int64_t values = 0;
  double min = 0, max = 0;
  /// Of large tensors it counts an evenly spaced share of the values.
  ValueHistogram histogram;
  std::optional<Grid> grid;  ///< none where the layer stays in float, or is not calibrated
  int64_t clipped = 0;       ///< values beyond the grid's ends, by more than half a step
  double power = 0;          ///< the sum of x^2
  double noise = 0;          ///< the sum of (x - y)^2, where y is what the grid makes of x
};

struct LayerRanges {
  std::string layer;
  LayerChoice choice;
  /// Before they are rounded: what the grids would be given, or are given. An input that smoothing
  /// divides is the divided one, with the weight that belongs to it.
  ValueRange input, weight, output;
};

/// Looks at what goes through some layers of one model. Not thread-safe; the model outlives it.
class RangeProbe {
 public:
  virtual ~RangeProbe() = default;
  /// Inference; every value counts, padding too: give rows of one length.
  virtual void add(const AudioBatch& batch) = 0;
  /// Of all that was added; in the order of the layers.
  virtual std::vector<LayerRanges> ranges() const = 0;
};

}  // namespace flowqat::model

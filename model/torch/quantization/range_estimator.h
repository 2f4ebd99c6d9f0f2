/// What range of an activation to spread the integers over, from all that calibration saw of it.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "model/ranges.h"
#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// A histogram whose range doubles as larger values come, pairs of bins becoming one: exact to the
/// width of a bin, which is at most 1/2048 of the largest magnitude. Of a large tensor it counts an
/// evenly spaced share, always the same one. Not thread-safe.
class RangeEstimator {
 public:
  /// x: any shape and device; waits for the device. Values that are no number are left out.
  void add(const at::Tensor& x);
  bool empty() const { return count_ == 0; }

  /// The least and greatest value seen.
  std::pair<double, double> min_max() const { return {lowest_, highest_}; }
  /// Bins from the least to the greatest value; empty before anything was seen.
  ValueHistogram histogram() const;
  /// `percent` of the values lie below the upper end, and as many above the lower one.
  std::pair<double, double> percentile(double percent) const;
  /// The range for a grid of `levels` steps with the least mean squared error of rounding and
  /// clipping, searched over shares of min_max(); symmetric about zero or not.
  std::pair<double, double> least_squares(int64_t levels, bool symmetric) const;

 private:
  void widen(double magnitude);
  double centre(size_t bin) const;
  double squared_error(double low, double high, int64_t levels) const;

  std::vector<int64_t> bins_;  ///< of [-limit_, limit_)
  double limit_ = 0;           ///< a power of two
  double lowest_ = 0, highest_ = 0;
  int64_t count_ = 0;
};

}  // namespace flowqat::model

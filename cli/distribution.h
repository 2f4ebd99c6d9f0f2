#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace flowqat::cli {

/// Bars of one width that stand side by side; the last one may hold all that is beyond it.
struct Histogram {
  double first = 0, width = 1;  ///< where the first bar begins
  std::vector<int64_t> counts;
  bool is_open = false;  ///< the last bar has no end

  double begin_of(size_t bar) const { return first + static_cast<double>(bar) * width; }
  int64_t highest() const;
};

/// Some numbers, looked at as a whole.
class Distribution {
 public:
  Distribution() = default;
  explicit Distribution(std::vector<double> values);

  bool empty() const { return sorted_.empty(); }
  double smallest() const { return quantile(0); }
  double median() const { return quantile(0.5); }
  double largest() const { return quantile(1); }
  /// Between neighbours in proportion, as numpy.quantile; 0 where there are no numbers.
  double quantile(double share) const;
  double mean() const;

  /// At most about `most_bars` bars of a round width. A few numbers far beyond the others (twice
  /// the 99th percentile) do not squeeze the picture: the last bar takes them.
  Histogram histogram(int most_bars) const;

  struct Fences {
    double lower = 0, upper = 0;
  };
  /// Beyond these a positive number is unlike the others: Tukey's far outliers (three interquartile
  /// ranges beyond the quartiles) of the logarithms, since rates vary by factors. Tukey,
  /// "Exploratory Data Analysis", 1977, section 2D. Nothing is outside where there are fewer than
  /// 20 numbers.
  Fences fences() const;

 private:
  std::vector<double> sorted_;
};

}  // namespace flowqat::cli

#include "cli/distribution.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "report/html.h"

namespace flowqat::cli {

int64_t Histogram::highest() const {
  return counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
}

Distribution::Distribution(std::vector<double> values) : sorted_(std::move(values)) {
  std::sort(sorted_.begin(), sorted_.end());
}

double Distribution::quantile(double share) const {
  if (sorted_.empty()) return 0;
  const double place = share * static_cast<double>(sorted_.size() - 1);
  const auto below = static_cast<size_t>(place);
  if (below + 1 >= sorted_.size()) return sorted_.back();
  return std::lerp(sorted_[below], sorted_[below + 1], place - static_cast<double>(below));
}

double Distribution::mean() const {
  if (sorted_.empty()) return 0;
  return std::accumulate(sorted_.begin(), sorted_.end(), 0.0) / static_cast<double>(sorted_.size());
}

Histogram Distribution::histogram(int most_bars) const {
  Histogram result;
  if (sorted_.empty()) return result;
  const double end = std::min(largest(), 2 * quantile(0.99));
  result.width = report::round_up(std::max(end - smallest(), 1e-6 * std::abs(end)) / most_bars);
  result.first = std::floor(smallest() / result.width) * result.width;
  const auto bar_of = [&](double value) {
    return static_cast<size_t>(std::max(0.0, std::floor((value - result.first) / result.width)));
  };
  result.counts.resize(bar_of(end) + 1);
  for (const double value : sorted_) {
    const size_t bar = bar_of(value);
    result.is_open = result.is_open || bar >= result.counts.size();
    ++result.counts[std::min(bar, result.counts.size() - 1)];
  }
  return result;
}

Distribution::Fences Distribution::fences() const {
  constexpr size_t fewest = 20;
  constexpr double narrowest = 0.05;  // where most numbers are alike, 15 % are no outlier
  if (sorted_.size() < fewest || smallest() <= 0) {
    return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  }
  const double lower = std::log(quantile(0.25)), upper = std::log(quantile(0.75));
  const double reach = 3 * std::max(upper - lower, narrowest);
  return {std::exp(lower - reach), std::exp(upper + reach)};
}

}  // namespace flowqat::cli

#include "model/torch/quantization/range_estimator.h"

#include <algorithm>
#include <cmath>

namespace flowqat::model {
namespace {

constexpr size_t bin_count = 8192;
constexpr int64_t largest_sample = 1 << 19;

/// Every n-th value. n is odd and no multiple of 3, so that it shares no factor with a width that
/// networks have and every channel has its share.
at::Tensor sample_of(const at::Tensor& x) {
  const at::Tensor flat = x.reshape({-1});
  int64_t every = (flat.numel() + largest_sample - 1) / largest_sample;
  while (every > 1 && (every % 2 == 0 || every % 3 == 0)) ++every;
  return every > 1 ? flat.slice(0, 0, flat.numel(), every) : flat;
}

}  // namespace

void RangeEstimator::widen(double magnitude) {
  if (bins_.empty()) {
    bins_.assign(bin_count, 0);
    limit_ = std::exp2(std::floor(std::log2(std::max(magnitude, 1e-30))) + 1);
  }
  while (magnitude >= limit_) {
    std::vector<int64_t> wider(bin_count, 0);
    for (size_t i = 0; i < bin_count; ++i) wider[bin_count / 4 + i / 2] += bins_[i];
    bins_ = std::move(wider);
    limit_ *= 2;
  }
}

void RangeEstimator::add(const at::Tensor& x) {
  const at::Tensor all = x.detach().to(at::kFloat);
  at::Tensor values = sample_of(all).to(at::kCPU).contiguous();
  values = values.masked_select(values.isfinite());
  if (values.numel() == 0) return;
  // The ends are those of all values, not of the sample.
  const auto finite = all.nan_to_num(0, 0, 0);
  const double low = finite.min().item<double>(), high = finite.max().item<double>();
  lowest_ = empty() ? low : std::min(lowest_, low);
  highest_ = empty() ? high : std::max(highest_, high);
  widen(std::max(std::abs(low), std::abs(high)));
  const float* const data = values.const_data_ptr<float>();
  const double bins_per_unit = bin_count / (2 * limit_);
  for (int64_t i = 0; i < values.numel(); ++i) {
    ++bins_[static_cast<size_t>((data[i] + limit_) * bins_per_unit)];
  }
  count_ += values.numel();
}

double RangeEstimator::centre(size_t bin) const {
  return (static_cast<double>(bin) + 0.5) * 2 * limit_ / bin_count - limit_;
}

ValueHistogram RangeEstimator::histogram() const {
  const auto is_filled = [](int64_t count) { return count > 0; };
  const auto first = std::ranges::find_if(bins_, is_filled);
  const auto last = std::find_if(bins_.rbegin(), bins_.rend(), is_filled).base();
  const double width = 2 * limit_ / bin_count;
  if (first == bins_.end()) return {};
  return {.low = -limit_ + static_cast<double>(first - bins_.begin()) * width,
          .width = width,
          .counts = {first, last}};
}

std::pair<double, double> RangeEstimator::percentile(double percent) const {
  const double beyond = static_cast<double>(count_) * (100 - percent) / 100;
  const double width = 2 * limit_ / bin_count;
  const auto bin_at = [&](auto first, auto last) {
    double seen = 0;
    auto bin = first;
    while (bin != last && seen + static_cast<double>(*bin) <= beyond)
      seen += static_cast<double>(*bin++);
    return static_cast<double>(bin - first);
  };
  const double low = -limit_ + bin_at(bins_.begin(), bins_.end()) * width;
  const double high = limit_ - bin_at(bins_.rbegin(), bins_.rend()) * width;
  return {std::clamp(low, lowest_, highest_), std::clamp(high, lowest_, highest_)};
}

double RangeEstimator::squared_error(double low, double high, int64_t levels) const {
  const double step = (high - low) / static_cast<double>(levels);
  double error = 0;
  for (size_t i = 0; i < bin_count; ++i) {
    if (bins_[i] == 0) continue;
    const double value = centre(i), clipped = std::clamp(value, low, high);
    const double rounded = clipped == value ? std::nearbyint(value / step) * step : clipped;
    error += static_cast<double>(bins_[i]) * (rounded - value) * (rounded - value);
  }
  return error;
}

std::pair<double, double> RangeEstimator::least_squares(int64_t levels, bool symmetric) const {
  constexpr int tries = 100;
  double low = std::min(lowest_, 0.0), high = std::max(highest_, 0.0);
  if (symmetric) {
    high = std::max(-low, high);
    low = -high;
  }
  if (high == low) return {low, high};
  const auto best_share = [&](auto&& range_of) {
    double share = 1, least = INFINITY;
    for (int i = 1; i <= tries; ++i) {
      const auto [from, to] = range_of(static_cast<double>(i) / tries);
      const double error = squared_error(from, to, levels);
      if (error < least) {
        least = error;
        share = static_cast<double>(i) / tries;
      }
    }
    return range_of(share);
  };
  std::tie(low, high) =
      best_share([&](double share) { return std::pair(low * share, high * share); });
  if (symmetric) return {low, high};
  // Each end for itself, the other one held.
  if (high > 0)
    std::tie(low, high) = best_share([&](double s) { return std::pair(low, high * s); });
  if (low < 0) std::tie(low, high) = best_share([&](double s) { return std::pair(low * s, high); });
  return {low, high};
}

}  // namespace flowqat::model

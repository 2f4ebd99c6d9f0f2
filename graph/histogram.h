/// How long something took, many times: quantiles from fixed memory, counted without locks.
#pragma once
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>

namespace flowqat::graph {

/// Buckets are a 32nd of a power of two wide, so a quantile is off by 1.6 % of itself at most.
class DurationHistogram {
 public:
  using Counts = std::array<uint64_t, 64 * 32>;

  void add(std::chrono::nanoseconds duration) {
    buckets_[bucket_of(duration.count())].fetch_add(1, std::memory_order_relaxed);
  }
  Counts counts() const {
    Counts counts;
    for (size_t i = 0; i < counts.size(); ++i) {
      counts[i] = buckets_[i].load(std::memory_order_relaxed);
    }
    return counts;
  }

  /// The duration in ms that a share `quantile` of what came between two readings did not exceed;
  /// 0 if nothing came.
  static double quantile_ms(const Counts& before, const Counts& after, double quantile) {
    uint64_t total = 0, passed = 0;
    for (size_t i = 0; i < after.size(); ++i) total += after[i] - before[i];
    for (size_t i = 0; i < after.size() && total > 0; ++i) {
      passed += after[i] - before[i];
      if (static_cast<double>(passed) >= quantile * static_cast<double>(total)) {
        return middle_ns(i) * 1e-6;
      }
    }
    return 0;
  }

 private:
  /// Exact below 32 ns; above, the position of the highest bit and the five bits behind it.
  static size_t bucket_of(int64_t duration_ns) {
    const auto value = static_cast<uint64_t>(duration_ns < 0 ? 0 : duration_ns);
    if (value < 32) return value;
    const auto octave = static_cast<size_t>(std::bit_width(value)) - 6;
    return octave * 32 + (value >> octave);
  }
  static double middle_ns(size_t bucket) {
    if (bucket < 64) return static_cast<double>(bucket);
    const size_t octave = bucket / 32 - 1;
    return (static_cast<double>(bucket - octave * 32) + 0.5) *
           static_cast<double>(uint64_t{1} << octave);
  }

  std::array<std::atomic<uint64_t>, 64 * 32> buckets_{};
};

}  // namespace flowqat::graph

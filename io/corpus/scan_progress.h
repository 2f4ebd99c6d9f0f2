#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "io/corpus/corpus.h"

namespace flowqat::io {

/// Counts files for Scanning::progress, and tells now and then. For several threads.
class ScanProgress {
 public:
  /// `scanning` outlives it.
  ScanProgress(const Scanning& scanning, int64_t total) : scanning_(scanning), total_(total) {}

  void one_more() {
    const int64_t done = ++done_;
    if (!scanning_.progress) return;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock() || Clock::now() - last_ < std::chrono::milliseconds(100)) return;
    last_ = Clock::now();
    scanning_.progress(done, total_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  const Scanning& scanning_;
  const int64_t total_;
  std::atomic<int64_t> done_{0};
  std::mutex mutex_;  ///< over what follows
  Clock::time_point last_ = Clock::now();
};

}  // namespace flowqat::io

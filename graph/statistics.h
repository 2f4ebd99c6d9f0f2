/// What each node of a stream did; counted without locks by the threads that do the work.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace flowqat::graph {

class NodeCounter {
 public:
  void add(double audio_s, std::chrono::nanoseconds busy, bool rejected) {
    utterances_.fetch_add(1, std::memory_order_relaxed);
    audio_us_.fetch_add(static_cast<int64_t>(audio_s * 1e6), std::memory_order_relaxed);
    busy_ns_.fetch_add(busy.count(), std::memory_order_relaxed);
    if (rejected) rejected_.fetch_add(1, std::memory_order_relaxed);
  }
  int64_t utterances() const { return utterances_; }
  int64_t rejected() const { return rejected_; }
  double audio_s() const { return static_cast<double>(audio_us_) * 1e-6; }
  double busy_s() const { return static_cast<double>(busy_ns_) * 1e-9; }

 private:
  std::atomic<int64_t> utterances_{0}, rejected_{0}, audio_us_{0}, busy_ns_{0};
};

/// A reading of one node's counter.
struct NodeStatistics {
  std::string node;
  int64_t utterances = 0;  ///< that it worked on, rejected ones included
  int64_t rejected = 0;    ///< by this node
  double audio_s = 0;      ///< of its input
  double busy_s = 0;       ///< summed over threads
};

}  // namespace flowqat::graph

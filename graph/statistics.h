/// What each node of a stream did; counted without locks by the threads that do the work.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "graph/histogram.h"

namespace flowqat::graph {

class NodeCounter {
 public:
  /// An utterance of `source_s` seconds in its corpus is taken up.
  void begin(double source_s) {
    begun_.fetch_add(1, std::memory_order_relaxed);
    begun_us_.fetch_add(in_us(source_s), std::memory_order_relaxed);
  }
  /// It is done; `audio_s` is the node's own input.
  void end(double source_s, double audio_s, std::chrono::nanoseconds busy, bool rejected) {
    utterances_.fetch_add(1, std::memory_order_relaxed);
    audio_us_.fetch_add(in_us(audio_s), std::memory_order_relaxed);
    busy_ns_.fetch_add(busy.count(), std::memory_order_relaxed);
    if (rejected) rejected_.fetch_add(1, std::memory_order_relaxed);
    durations_.add(busy);
    done_us_.fetch_add(in_us(source_s), std::memory_order_relaxed);
  }
  /// One that an earlier node rejected goes by.
  void pass(double source_s) {
    begun_us_.fetch_add(in_us(source_s), std::memory_order_relaxed);
    done_us_.fetch_add(in_us(source_s), std::memory_order_relaxed);
  }

  int64_t utterances() const { return utterances_; }
  int64_t rejected() const { return rejected_; }
  double audio_s() const { return 1e-6 * static_cast<double>(audio_us_); }
  double busy_s() const { return 1e-9 * static_cast<double>(busy_ns_); }
  const DurationHistogram& durations() const { return durations_; }
  /// Seconds of the corpus's audio that were taken up, and that are done, since the beginning.
  double begun_s() const { return 1e-6 * static_cast<double>(begun_us_); }
  double done_s() const { return 1e-6 * static_cast<double>(done_us_); }
  /// Utterances that are being worked on now.
  int64_t active() const { return begun_ - utterances_; }

 private:
  static int64_t in_us(double seconds) { return static_cast<int64_t>(seconds * 1e6); }

  std::atomic<int64_t> begun_{0}, utterances_{0}, rejected_{0};
  std::atomic<int64_t> audio_us_{0}, busy_ns_{0}, begun_us_{0}, done_us_{0};
  DurationHistogram durations_;
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

/// What each node of a stream did.
#pragma once
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "graph/histogram.h"

namespace flowqat::graph {

/// Written by the threads that do the work: a lock of some ten nanoseconds around the sums makes a
/// reading whole, and an utterance takes a thousand times as long.
class NodeCounter {
 public:
  using Clock = std::chrono::steady_clock;

  struct Counts {
    int64_t begun = 0, done = 0;     ///< utterances
    int64_t rejected = 0;            ///< of those done
    double begun_s = 0, done_s = 0;  ///< the corpus's audio that was taken up, and that is done
    double audio_s = 0;              ///< of the node's own input, done
    double busy_s = 0;  ///< summed over threads, with the begun part of what is not done
    int64_t active() const { return begun - done; }
  };

  /// An utterance of `source_s` seconds in its corpus is taken up.
  void begin(double source_s, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    ++counts_.begun;
    counts_.begun_s += source_s;
    open_ += now - start_;
  }
  /// It is done; `audio_s` is the node's own input.
  void end(double source_s, double audio_s, Clock::time_point begun, Clock::time_point ended,
           bool rejected) {
    durations_.add(ended - begun);
    const std::lock_guard lock(mutex_);
    ++counts_.done;
    if (rejected) ++counts_.rejected;
    counts_.done_s += source_s;
    counts_.audio_s += audio_s;
    busy_ += ended - begun;
    open_ -= begun - start_;
  }
  /// One that an earlier node rejected goes by.
  void pass(double source_s) {
    const std::lock_guard lock(mutex_);
    counts_.begun_s += source_s;
    counts_.done_s += source_s;
  }

  Counts counts() const {
    const std::lock_guard lock(mutex_);
    Counts counts = counts_;
    const auto under_way = counts.active() * (Clock::now() - start_) - open_;
    counts.busy_s = std::chrono::duration<double>(busy_ + under_way).count();
    return counts;
  }
  const DurationHistogram& durations() const { return durations_; }

 private:
  const Clock::time_point start_ = Clock::now();
  mutable std::mutex mutex_;  ///< over what follows, but the histogram
  Counts counts_;             ///< busy_s is not kept here
  Clock::duration busy_{0};   ///< of what is done
  Clock::duration open_{0};   ///< when each utterance that is not done was begun, summed
  DurationHistogram durations_;
};

/// A reading of one node's counter.
struct NodeStatistics {
  std::string node;
  NodeCounter::Counts counts;
};

}  // namespace flowqat::graph

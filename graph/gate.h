/// Decides when a planned batch may enter: bounds the audio between the plan and the release of its
/// batch. Whole batches are admitted in plan order, so the batch that the consumer waits for is
/// always inside and reordering cannot lock up.
#pragma once
#include <algorithm>
#include <cstdint>

#include "graph/plan.h"

namespace flowqat::graph {

/// Not thread-safe: its stream's lock covers it.
class Gate {
 public:
  explicit Gate(double limit_s) : limit_s_(limit_s) {}

  /// Takes `batch_s` seconds of padded audio in, if there is room.
  bool admit(double batch_s) {
    if (in_flight_s_ > 0 && in_flight_s_ + batch_s > limit_s_) return false;
    in_flight_s_ += batch_s;
    return true;
  }
  /// Of a further window; a limit only grows.
  void allow(double limit_s) { limit_s_ = std::max(limit_s_, limit_s); }
  void release(double batch_s) { in_flight_s_ -= batch_s; }

 private:
  double limit_s_;
  double in_flight_s_ = 0;
};

/// The limit for a window of an epoch: the one that was asked for, or room for the queue (in
/// batches of the mean size, so that one long utterance does not make the whole run large), for the
/// batches that `threads` threads work on at once, and for the one that the consumer holds. Throws
/// GraphError if less was asked for than two of the largest batches (one held, one being made).
double in_flight_limit_s(double asked_s, const Plan& plan, int64_t queue, int threads);

}  // namespace flowqat::graph

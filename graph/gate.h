/// Decides when a planned batch may enter: bounds the audio between the plan and the release of its
/// batch. Whole batches are admitted in plan order, so the batch that the consumer waits for is
/// always inside and reordering cannot lock up.
#pragma once
#include <algorithm>
#include <string>

#include "graph/error.h"
#include "graph/params.h"
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
    peak_s_ = std::max(peak_s_, in_flight_s_);
    return true;
  }
  void release(double batch_s) { in_flight_s_ -= batch_s; }
  double peak_s() const { return peak_s_; }

 private:
  double limit_s_;
  double in_flight_s_ = 0, peak_s_ = 0;
};

/// The limit for an epoch: the one that was asked for, or room for the queue (in batches of the
/// mean size, so that one long utterance does not make the whole run large), for the batches that
/// `threads` threads work on at once, and for the one that the consumer holds. Throws GraphError if
/// less was asked for than two of the largest batches (one held, one being made).
inline double in_flight_limit_s(double asked_s, const Plan& plan, int64_t queue, int threads) {
  double largest_s = 0, sum_s = 0;
  size_t fewest_rows = SIZE_MAX;
  for (const PlannedBatch& batch : plan) {
    largest_s = std::max(largest_s, batch.padded_s());
    sum_s += batch.padded_s();
    fewest_rows = std::min(fewest_rows, batch.rows.size());
  }
  if (asked_s <= 0) {
    const auto working = 1 + static_cast<size_t>(threads) / std::max<size_t>(fewest_rows, 1);
    const double mean_s = sum_s / std::max<double>(static_cast<double>(plan.size()), 1);
    return mean_s * static_cast<double>(queue) + largest_s * static_cast<double>(working + 1);
  }
  if (asked_s < 2 * largest_s) {
    throw GraphError("key \"audio_in_flight_s\": " + Json(asked_s).dump() +
                     " s is too little: the largest batch holds " + Json(largest_s).dump() +
                     " s of padded audio, and two such must fit; allow at least " +
                     Json(2 * largest_s).dump() + " s or make the batches smaller");
  }
  return asked_s;
}

}  // namespace flowqat::graph

/// An epoch's batches one by one, while it is heard, those that a share takes: one window is at
/// hand, and the next one is planned meanwhile.
#pragma once
#include <future>
#include <memory>
#include <string>

#include "graph/pipeline.h"

namespace flowqat::graph {

/// For one thread at a time. Throws what EpochPlan throws.
class RunningPlan {
 public:
  /// From batch number `first_batch` on, or from the epoch's end if there are fewer. The pipeline
  /// outlives it.
  RunningPlan(const Pipeline& pipeline, const std::string& consumer, int64_t epoch,
              int64_t first_batch, const Share& share);

  /// The batch that is next, until it is taken; null behind the last.
  const PlannedBatch* next();
  PlannedBatch take();
  size_t next_number() const { return number_; }
  /// How many were taken.
  size_t taken() const { return taken_; }
  /// Which of the batches that are taken this is, from 0.
  size_t place_of(int64_t number) const {
    return static_cast<size_t>(share_.taken_before(number) - before_);
  }
  /// Whether the epoch's first batches come before this plan.
  bool is_begun() const { return is_begun_; }

  /// As in_flight_limit_s() says of the window at hand. Throws what that throws.
  double in_flight_limit_s() const { return limit_s_; }
  /// Of the whole epoch; of several windows, as those that were planned so far let expect.
  Extent extent() const;
  size_t windows() const { return epoch_->windows(); }

 private:
  void go_to(size_t first_batch, const std::string& consumer, int64_t epoch);
  void set_window(size_t number, Plan plan);

  const Pipeline& pipeline_;
  const Share share_;
  std::shared_ptr<const EpochPlan> epoch_;
  size_t window_ = 0, at_ = 0;  ///< which one is at hand, and which of its batches is next
  size_t number_ = 0;           ///< of the next batch in the epoch
  size_t taken_ = 0;
  bool is_begun_ = false;
  int64_t before_ = 0;  ///< batches of the share that come before the first one
  Plan plan_;
  double limit_s_ = 0;
  size_t seen_presentations_ = 0;  ///< of the windows over which this is summed
  Extent seen_;
  std::future<Plan> ahead_;  ///< last, because it uses the others
};

}  // namespace flowqat::graph

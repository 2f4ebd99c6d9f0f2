#include "graph/running_plan.h"

#include <algorithm>
#include <cmath>
#include <system_error>
#include <utility>

#include "graph/gate.h"

namespace flowqat::graph {

RunningPlan::RunningPlan(const Pipeline& pipeline, const std::string& consumer, int64_t epoch,
                         int64_t first_batch, const Share& share)
    : pipeline_(pipeline), share_(share), epoch_(pipeline.epoch_plan(consumer, epoch)) {
  go_to(static_cast<size_t>(std::max<int64_t>(first_batch, 0)), consumer, epoch);
  is_begun_ = number_ > 0;
  before_ = share.taken_before(static_cast<int64_t>(number_));
}

void RunningPlan::go_to(size_t first_batch, const std::string& consumer, int64_t epoch) {
  size_t window = 0;
  if (first_batch > 0 && epoch_->windows() > 1) {
    const std::vector<int64_t> counts = pipeline_.count_windows(consumer, epoch);
    while (window + 1 < counts.size() &&
           number_ + static_cast<size_t>(counts[window]) <= first_batch) {
      number_ += static_cast<size_t>(counts[window++]);
    }
  }
  set_window(window, epoch_->window(window));
  at_ = std::min(first_batch - number_, plan_.size());
  number_ += at_;
}

void RunningPlan::set_window(size_t number, Plan plan) {
  window_ = number;
  at_ = 0;
  plan_ = std::move(plan);
  limit_s_ =
      graph::in_flight_limit_s(pipeline_.options().audio_in_flight_s, plan_,
                               pipeline_.chain().batcher->queue(), pipeline_.threads().count());
  seen_presentations_ += epoch_->presentations(number);
  seen_.batches += std::ssize(plan_);
  for (const PlannedBatch& batch : plan_) {
    seen_.utterances += std::ssize(batch.rows);
    seen_.padded_s += batch.padded_s();
  }
  if (number + 1 < epoch_->windows()) {
    try {
      ahead_ = std::async(std::launch::async,
                          [epoch = epoch_, number] { return epoch->window(number + 1); });
    } catch (const std::system_error&) {
      // A limit of threads: it is planned when it is needed.
    }
  }
}

const PlannedBatch* RunningPlan::next() {
  while (true) {
    while (at_ == plan_.size()) {
      if (window_ + 1 >= epoch_->windows()) return nullptr;
      set_window(window_ + 1, ahead_.valid() ? ahead_.get() : epoch_->window(window_ + 1));
    }
    if (share_.takes(static_cast<int64_t>(number_))) return &plan_[at_];
    ++number_;
    ++at_;
  }
}

PlannedBatch RunningPlan::take() {
  ++number_;
  ++taken_;
  return std::move(plan_[at_++]);
}

Extent RunningPlan::extent() const {
  if (epoch_->windows() == 1) return seen_;
  const double whole = static_cast<double>(epoch_->presentations()) /
                       static_cast<double>(std::max<size_t>(1, seen_presentations_));
  const auto all = [whole](int64_t seen) {
    return std::llround(static_cast<double>(seen) * whole);
  };
  return {.batches = all(seen_.batches),
          .utterances = all(seen_.utterances),
          .padded_s = seen_.padded_s * whole};
}

}  // namespace flowqat::graph

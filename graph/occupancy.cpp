#include "graph/occupancy.h"

#include <algorithm>

namespace flowqat::graph {

Occupancy look(Pipeline& pipeline, double time_s) {
  Occupancy now{.time_s = time_s,
                .finished_s = 1e-6 * static_cast<double>(pipeline.finished().audio_us),
                .waiting_s = {},
                .active = {}};
  // Counters are read downstream first, so that what moves on meanwhile is not counted twice.
  double taken_s = 1e-6 * static_cast<double>(pipeline.released_us());
  const auto& counters = pipeline.counters();
  for (auto counter = counters.rbegin(); counter != counters.rend(); ++counter) {
    const NodeCounter::Counts counts = counter->counts();
    now.waiting_s.push_back(std::max(0.0, counts.done_s - taken_s));
    now.active.push_back(static_cast<double>(counts.active()));
    taken_s = counts.begun_s;
  }
  now.waiting_s.push_back(
      std::max(0.0, 1e-6 * static_cast<double>(pipeline.admitted_us()) - taken_s));
  std::reverse(now.waiting_s.begin(), now.waiting_s.end());
  std::reverse(now.active.begin(), now.active.end());
  return now;
}

Observer::Observer(Pipeline& pipeline, Clock::time_point start, double interval_s,
                   std::vector<Occupancy>& timeline)
    : thread_([this, &pipeline, start, interval_s, &timeline] {
        std::unique_lock lock(mutex_);
        const auto interval = std::chrono::duration<double>(interval_s);
        do {
          const double time_s = std::chrono::duration<double>(Clock::now() - start).count();
          timeline.push_back(look(pipeline, time_s));
        } while (!stop_.wait_for(lock, interval, [this] { return stopping_; }));
      }) {}

Observer::~Observer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

std::vector<double> speed_of_slices(const std::vector<Occupancy>& timeline, size_t most) {
  std::vector<double> speeds;
  if (timeline.size() < 2) return speeds;
  const size_t steps = timeline.size() - 1, slices = std::min(most, steps);
  for (size_t slice = 0; slice < slices; ++slice) {
    const Occupancy& from = timeline[slice * steps / slices];
    const Occupancy& to = timeline[(slice + 1) * steps / slices];
    speeds.push_back((to.finished_s - from.finished_s) / (to.time_s - from.time_s));
  }
  return speeds;
}

}  // namespace flowqat::graph

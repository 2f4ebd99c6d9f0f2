/// Looks at a stream while it runs: how much audio waits where, and what has come out.
#pragma once
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "graph/pipeline.h"

namespace flowqat::graph {

/// One look at the stream.
struct Occupancy {
  double time_s = 0;              ///< since the measurement began
  double finished_s = 0;          ///< of audio, since the pipeline was made
  std::vector<double> waiting_s;  ///< of audio in front of each node, and behind the last one
  std::vector<double> active;     ///< utterances that each node is working on
};

Occupancy look(Pipeline& pipeline, double time_s);

/// Looks at the stream now and then, from a thread of its own, until it is destroyed; `timeline`
/// may be read afterwards.
class Observer {
 public:
  using Clock = std::chrono::steady_clock;

  /// Times are counted from `start`.
  Observer(Pipeline& pipeline, Clock::time_point start, double interval_s,
           std::vector<Occupancy>& timeline);
  ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

/// Seconds of audio a second in each of at most `most` parts of the timeline that are about as
/// long; fewer where there are fewer looks.
std::vector<double> speed_of_slices(const std::vector<Occupancy>& timeline, size_t most);

}  // namespace flowqat::graph

#pragma once
#include <memory>
#include <string>

#include "graph/pipeline.h"
#include "graph/together.h"

namespace flowqat::graph {

/// An epoch whose batches all processes of a run share, each its own ones; all keep step, and learn
/// of signals at the same places. With one process alone it is the stream itself.
class DividedStream {
 public:
  /// As Pipeline::open() opens it. Both outlive it.
  DividedStream(Together& together, Pipeline& pipeline, const std::string& consumer, int64_t epoch,
                int64_t first_batch = 0);

  /// This process's next batch; null when nothing more comes: of the epoch, or, with several
  /// processes, because a signal asks to stop.
  std::shared_ptr<const Batch> next();
  /// Whether a signal ended it before its end; in all processes or in none.
  bool is_stopped() const { return is_stopped_; }
  /// The first batch that none of them has drawn, once it is stopped or at its end.
  int64_t position() const { return position_; }
  Extent extent() const { return extent_; }

 private:
  /// How many batches of its own a process draws before it hears of the others.
  static constexpr int64_t kStride = 4;

  Together& together_;
  const std::unique_ptr<Stream> stream_;
  const Extent extent_;
  int64_t position_;
  int64_t next_meeting_;
  bool is_stopped_ = false;
};

}  // namespace flowqat::graph

#include "graph/divided_stream.h"

#include <algorithm>

namespace flowqat::graph {

DividedStream::DividedStream(Together& together, Pipeline& pipeline, const std::string& consumer,
                             int64_t epoch, int64_t first_batch)
    : together_(together),
      stream_(pipeline.open(consumer, epoch, first_batch, together.share())),
      extent_(stream_->extent()),
      position_(std::min(first_batch, extent_.batches)),
      next_meeting_(position_) {}

std::shared_ptr<const Batch> DividedStream::next() {
  if (together_.is_alone()) {
    auto batch = stream_->next();
    if (batch) position_ = batch->number + 1;
    return batch;
  }
  while (!is_stopped_ && position_ < extent_.batches) {
    if (position_ == next_meeting_) {
      together_.agree();
      next_meeting_ += kStride * together_.size();
      is_stopped_ = together_.stop_signal() != 0;
      continue;
    }
    if (together_.share().takes(position_++)) return stream_->next();
  }
  return nullptr;
}

}  // namespace flowqat::graph

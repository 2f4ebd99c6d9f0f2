/// How one utterance becomes one row of a batch, a transform at a time: the work of the stream's
/// nodes, without the threads.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "graph/pipeline.h"

namespace flowqat::graph {

/// A batch while its rows are made, and until the consumer lets go of it.
struct OpenBatch {
  explicit OpenBatch(std::shared_ptr<SampleBuffers> pool) : buffers(std::move(pool)) {}
  ~OpenBatch() { buffers->give_back(std::move(batch.samples)); }

  Batch batch;
  std::shared_ptr<SampleBuffers> buffers;
  std::atomic<size_t> missing_rows{0};
};

/// An utterance on its way to its row.
struct Utterance {
  std::shared_ptr<OpenBatch> home;
  size_t row_number = 0;
  Shape shape;
  SampleBuffer samples;  ///< between transforms; the last one writes to the row itself
  Row& row() const { return home->batch.rows[row_number]; }
};

/// Const and thread-safe but for the counters, which are atomic.
class RowMaker {
 public:
  RowMaker(Pipeline& pipeline, const EpochKey& key);

  /// A batch with every row still to be made: memory for its samples, and its utterances.
  std::vector<std::shared_ptr<Utterance>> begin(const PlannedBatch& planned, int64_t number) const;
  /// Runs transform number `position`. A Rejection is noted in the row; anything else is thrown on
  /// as a RunError that names node, utterance and file.
  void apply(size_t position, Utterance& utterance) const;
  /// After the last transform: length, silence where the row was rejected, digest.
  void finish(Utterance& utterance) const;

 private:
  void transform_samples(size_t position, Utterance& utterance) const;

  Pipeline& pipeline_;
  EpochKey key_;
  size_t last_writer_;  ///< the last transform that does not merely pass samples on
};

}  // namespace flowqat::graph

/// A stream of audio, from a corpus to its batches: planned, then pulled an epoch at a time by
/// whoever consumes it. Between the plan and the release of a batch, audio in flight is bounded.
#pragma once
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "graph/epoch_plan.h"
#include "graph/known_stream.h"
#include "graph/ledger.h"
#include "graph/statistics.h"
#include "graph/trace.h"

namespace flowqat::graph {

/// oneTBB's threads for the data side of a run: one arena that all streams share. The threads run
/// at a lower priority than the caller's, so that a trainer on the same cores comes first.
class DataThreads {
 public:
  /// `threads` 0: one for each core that this process may use.
  explicit DataThreads(int threads);
  ~DataThreads();
  int count() const;
  class Impl;
  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// How much an epoch is, as planned. Of an epoch of several windows, `batches` and `padded_s` are
/// what the windows that were planned so far let expect, unless its batches were counted.
struct Extent {
  int64_t batches = 0, utterances = 0;
  double padded_s = 0;
};

/// One epoch, or a process's share of it, being made. Draw batches until null; letting go of a
/// batch makes room for another. Not for several threads at once. Destroying it early stops the
/// work that is under way.
class Stream {
 public:
  virtual ~Stream() = default;
  /// The next batch in plan order; null behind the last. Waits for it. Rethrows what a node threw
  /// (but a Rejection), with node, utterance and file named; RunError when the failure budget is
  /// exhausted.
  virtual std::shared_ptr<const Batch> next() = 0;
  /// Waits until next() would not, `deadline` at the longest; false: it still would.
  virtual bool wait_until(std::chrono::steady_clock::time_point deadline) = 0;
  /// Of the whole epoch, even where the stream began behind its first batch, and whoever shares it.
  virtual Extent extent() const = 0;
};

/// What came to the end of a stream's transforms since the beginning, handed on or not yet.
struct Finished {
  std::atomic<int64_t> utterances{0}, rejected{0};
  std::atomic<int64_t> audio_us{0};  ///< of the corpus; without what was rejected
};

class Pipeline {
 public:
  /// Reads the index, and tells `reading` how far that is. `threads` and `ledger` outlive the
  /// pipeline.
  Pipeline(const Batcher& batcher, PipelineOptions options, DataThreads& threads, Ledger& ledger,
           const IndexProgress& reading = {});
  /// Of a stream whose index was read before.
  Pipeline(KnownStream stream, PipelineOptions options, DataThreads& threads, Ledger& ledger);
  ~Pipeline();

  const Chain& chain() const { return stream_.chain; }
  const Index& index() const { return stream_.index; }
  const Selection& selection() const { return stream_.selection; }
  const PipelineOptions& options() const { return options_; }
  /// The epoch that `consumer` (a node's name) draws. The pipeline outlives it.
  std::shared_ptr<const EpochPlan> epoch_plan(const std::string& consumer, int64_t epoch) const;
  /// All of it at once, for what is small.
  Plan plan(const std::string& consumer, int64_t epoch) const;
  /// How many batches each window of an epoch has; counted once.
  std::vector<int64_t> count_windows(const std::string& consumer, int64_t epoch) const;
  /// How many batches an epoch has. Where the number depends on lengths, the first epochs are
  /// counted, until kCounted presentations were planned for that (the first epoch is always whole);
  /// further ones are taken to have as many as the mean of these.
  int64_t count_batches(const std::string& consumer, int64_t epoch) const;
  static constexpr size_t kCounted = size_t{1} << 22;
  /// Starts making those of the epoch's batches that `share` takes, from number `first_batch` on.
  /// The pipeline outlives the stream. Throws GraphError when the audio in flight cannot hold the
  /// largest batches.
  std::unique_ptr<Stream> open(const std::string& consumer, int64_t epoch, int64_t first_batch = 0,
                               const Share& share = {});
  std::vector<NodeStatistics> statistics() const;

  /// For Stream: a counter a transform, and where batches are written down as they are handed on.
  std::vector<NodeCounter>& counters() { return counters_; }
  Ledger& ledger() { return ledger_; }
  DataThreads& threads() const { return threads_; }
  Finished& finished() { return finished_; }
  /// Audio of the corpus that was admitted, and that the consumer has let go of, since the start.
  std::atomic<int64_t>& admitted_us() { return admitted_us_; }
  std::atomic<int64_t>& released_us() { return released_us_; }
  /// Where every piece of work is noted, or null. `trace` outlives what is opened afterwards.
  Trace* trace() const { return trace_; }
  void set_trace(Trace* trace) { trace_ = trace; }
  /// Shared with the batches, which may be let go of late.
  const std::shared_ptr<SampleBuffers>& batch_buffers() { return batch_buffers_; }
  SampleBuffers& utterance_buffers() { return utterance_buffers_; }

 private:
  KnownStream stream_;
  PipelineOptions options_;
  DataThreads& threads_;
  Ledger& ledger_;
  std::vector<NodeCounter> counters_;
  std::shared_ptr<SampleBuffers> batch_buffers_ = std::make_shared<SampleBuffers>();
  SampleBuffers utterance_buffers_;
  Finished finished_;
  std::atomic<int64_t> admitted_us_{0}, released_us_{0};
  Trace* trace_ = nullptr;
  mutable std::mutex counts_mutex_;
  mutable std::map<std::pair<std::string, int64_t>, std::vector<int64_t>> counts_;
};

}  // namespace flowqat::graph

/// What is known of a stream before any of its audio is read.
#pragma once
#include <atomic>

#include "graph/params.h"
#include "graph/plan.h"
#include "graph/reporter.h"

namespace flowqat::graph {

struct PipelineOptions {
  uint64_t seed = 1;
  double audio_in_flight_s = 0;   ///< 0: the queue, what is worked on, and what the consumer holds
  double max_rejected_share = 1;  ///< of an epoch's utterances
  int64_t max_rejected = -1;      ///< of an epoch; -1: no limit
};

/// As the graph's settings say.
PipelineOptions pipeline_options(const Params& settings);

struct KnownStream {
  Chain chain;          ///< of nodes that outlive it
  Index index;          ///< with IndexEntry::key
  Selection selection;  ///< what is presented of it
};

/// Reads the index of the corpus behind `batcher`. Throws what Source::read_index() throws, and
/// RunError where nothing is left to present.
KnownStream read_stream(const Batcher& batcher, const PipelineOptions& options,
                        const IndexReading& reading);

/// Tells `reporter` how far the index behind `batcher` is read, and ends that with Interrupted once
/// `stop_signal` is not 0; both outlive it.
IndexProgress index_progress(const Batcher& batcher, Reporter& reporter,
                             const std::atomic<int>& stop_signal);

}  // namespace flowqat::graph

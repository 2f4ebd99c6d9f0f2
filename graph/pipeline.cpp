#include "graph/pipeline.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace flowqat::graph {

Pipeline::Pipeline(const Batcher& batcher, PipelineOptions options, DataThreads& threads,
                   Ledger& ledger, const IndexProgress& reading)
    : Pipeline(read_stream(batcher, options, {threads.count(), reading}), options, threads,
               ledger) {}

Pipeline::Pipeline(KnownStream stream, PipelineOptions options, DataThreads& threads,
                   Ledger& ledger)
    : stream_(std::move(stream)),
      options_(options),
      threads_(threads),
      ledger_(ledger),
      counters_(stream_.chain.transforms.size()) {}

Pipeline::~Pipeline() = default;

std::shared_ptr<const EpochPlan> Pipeline::epoch_plan(const std::string& consumer,
                                                      int64_t epoch) const {
  return std::make_shared<const EpochPlan>(
      stream_.chain, stream_.index, stream_.selection,
      EpochKey{.seed = options_.seed, .consumer = key_of(consumer), .epoch = epoch},
      options_.share);
}

Plan Pipeline::plan(const std::string& consumer, int64_t epoch) const {
  return epoch_plan(consumer, epoch)->whole();
}

std::vector<int64_t> Pipeline::count_windows(const std::string& consumer, int64_t epoch) const {
  const std::lock_guard lock(counts_mutex_);
  std::vector<int64_t>& counts = counts_[{consumer, epoch}];
  if (counts.empty()) {
    counts = graph::count_batches(*epoch_plan(consumer, epoch), threads_.count());
  }
  return counts;
}

int64_t Pipeline::count_batches(const std::string& consumer, int64_t epochs) const {
  if (epochs <= 0) return 0;
  const auto first = epoch_plan(consumer, 0);
  if (const auto count = first->count()) return *count * epochs;
  const auto most = static_cast<int64_t>(kCounted / std::max<size_t>(first->presentations(), 1));
  const int64_t counted = std::clamp<int64_t>(most, 1, epochs);
  int64_t batches = 0;
  for (int64_t epoch = 0; epoch < counted; ++epoch) {
    const std::vector<int64_t> counts = count_windows(consumer, epoch);
    batches = std::accumulate(counts.begin(), counts.end(), batches);
  }
  return counted == epochs
             ? batches
             : std::llround(static_cast<double>(batches) / static_cast<double>(counted) *
                            static_cast<double>(epochs));
}

std::vector<NodeStatistics> Pipeline::statistics() const {
  std::vector<NodeStatistics> all;
  for (size_t i = 0; i < counters_.size(); ++i) {
    all.push_back({.node = stream_.chain.transforms[i]->name(), .counts = counters_[i].counts()});
  }
  return all;
}

}  // namespace flowqat::graph

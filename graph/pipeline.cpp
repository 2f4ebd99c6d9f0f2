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
      EpochKey{.seed = options_.seed, .consumer = key_of(consumer), .epoch = epoch});
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

int64_t Pipeline::count_batches(const std::string& consumer, int64_t epoch) const {
  if (const auto count = epoch_plan(consumer, epoch)->count()) return *count;
  const auto counted_in = [&](int64_t number) {
    const std::vector<int64_t> counts = count_windows(consumer, number);
    return std::accumulate(counts.begin(), counts.end(), int64_t{0});
  };
  const size_t presentations = std::max<size_t>(stream_.selection.presentations.size(), 1);
  const auto counted = static_cast<int64_t>(std::max<size_t>(kCounted / presentations, 1));
  if (epoch < counted) return counted_in(epoch);
  constexpr int64_t kMean = -1;  // no epoch's number
  {
    const std::lock_guard lock(counts_mutex_);
    const auto mean = counts_.find({consumer, kMean});
    if (mean != counts_.end()) return mean->second.front();
  }
  int64_t batches = 0;
  for (int64_t number = 0; number < counted; ++number) batches += counted_in(number);
  const int64_t mean = std::llround(static_cast<double>(batches) / static_cast<double>(counted));
  const std::lock_guard lock(counts_mutex_);
  counts_[{consumer, kMean}] = {mean};
  return mean;
}

std::vector<NodeStatistics> Pipeline::statistics() const {
  std::vector<NodeStatistics> all;
  for (size_t i = 0; i < counters_.size(); ++i) {
    all.push_back({.node = stream_.chain.transforms[i]->name(), .counts = counters_[i].counts()});
  }
  return all;
}

}  // namespace flowqat::graph

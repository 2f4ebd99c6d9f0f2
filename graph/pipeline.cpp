#include "graph/pipeline.h"

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

Plan Pipeline::plan(const std::string& consumer, int64_t epoch) const {
  return plan_epoch(stream_.chain, stream_.index, stream_.selection,
                    {.seed = options_.seed, .consumer = key_of(consumer), .epoch = epoch},
                    options_.share);
}

std::vector<NodeStatistics> Pipeline::statistics() const {
  std::vector<NodeStatistics> all;
  for (size_t i = 0; i < counters_.size(); ++i) {
    all.push_back({.node = stream_.chain.transforms[i]->name(), .counts = counters_[i].counts()});
  }
  return all;
}

}  // namespace flowqat::graph

#include "graph/pipeline.h"

#include "graph/error.h"

namespace flowqat::graph {

PipelineOptions pipeline_options(const Params& settings) {
  return {.seed = static_cast<uint64_t>(settings.integer("seed")),
          .audio_in_flight_s = settings.number("audio_in_flight_s"),
          .max_rejected_share = settings.number("max_rejected_share"),
          .max_rejected = settings.integer("max_rejected"),
          .share = {.rank = static_cast<int>(settings.integer("rank")),
                    .world_size = static_cast<int>(settings.integer("world_size"))}};
}

Pipeline::Pipeline(const Batcher& batcher, PipelineOptions options, DataThreads& threads,
                   Ledger& ledger)
    : chain_(Chain::behind(batcher)),
      options_(options),
      threads_(threads),
      ledger_(ledger),
      index_(chain_.source->read_index(threads.count())),
      counters_(chain_.transforms.size()) {
  if (index_.empty()) {
    throw RunError("node \"" + chain_.source->name() + "\": the corpus holds no utterance");
  }
  for (IndexEntry& entry : index_) entry.key = key_of(entry.id);
  selection_ = select(chain_, index_, options_.seed);
  if (selection_.presentations.empty()) {
    throw RunError("node \"" + chain_.source->name() + "\": no utterance is left of " +
                   std::to_string(index_.size()) + ": " +
                   (selection_.left_out == index_.size()
                        ? "their durations are all outside the limits, or their weights 0"
                        : "`hours` is shorter than every one"));
  }
}

Pipeline::~Pipeline() = default;

Plan Pipeline::plan(const std::string& consumer, int64_t epoch) const {
  return plan_epoch(chain_, index_, selection_,
                    {.seed = options_.seed, .consumer = key_of(consumer), .epoch = epoch},
                    options_.share);
}

std::vector<NodeStatistics> Pipeline::statistics() const {
  std::vector<NodeStatistics> all;
  for (size_t i = 0; i < counters_.size(); ++i) {
    all.push_back({.node = chain_.transforms[i]->name(),
                   .utterances = counters_[i].utterances(),
                   .rejected = counters_[i].rejected(),
                   .audio_s = counters_[i].audio_s(),
                   .busy_s = counters_[i].busy_s()});
  }
  return all;
}

}  // namespace flowqat::graph

/// What a run is made from beside its graph: the corpora as their indices show them, and what nodes
/// read of other files. It is part of every state, so that a run goes on only with the same.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "graph/check.h"
#include "graph/json.h"

namespace flowqat::graph {

class RunInputs {
 public:
  /// Throws what EpochPlan throws.
  RunInputs(const Checked& checked, const PipelineOptions& options);

  /// For a state.
  const Json& summary() const { return *summary_; }
  /// The file of a stream's utterances in the folder of the run's beginning.
  static std::string listing_name(const std::string& batcher);
  void write_listings(const std::filesystem::path& folder) const;

  /// What is not as a state of the run tells, in words; `beginning`: the folder with the listings
  /// of then. Empty: nothing.
  std::string difference(const Json& before, const std::filesystem::path& beginning) const;

 private:
  std::shared_ptr<const Json> summary_;
  std::map<std::string, Index> indices_;  ///< by batcher
};

}  // namespace flowqat::graph

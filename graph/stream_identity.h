/// What a stream's batches are made from, so that a run that is resumed can tell whether it is
/// still the same: every utterance of the index in its order, and how a plan orders them.
#pragma once
#include <map>
#include <string>

#include "graph/json.h"
#include "graph/known_stream.h"

namespace flowqat::graph {

struct StreamIdentity {
  /// For a state: "utterances", and the checksums "index" and "plan".
  std::shared_ptr<const Json> summary;
  /// A line for each utterance of the index: its id, and all that decides of batches. Where the
  /// audio is found is not in it.
  std::string listing;
};

/// Throws what plan_epoch() throws.
StreamIdentity identity_of(const KnownStream& stream, const PipelineOptions& options);

/// What differs between the listing of then and now, in words: "12 utterances before, 11 now; gone:
/// a; of another length: b". Empty: nothing.
std::string listing_difference(const std::string& before, const std::string& now);

}  // namespace flowqat::graph

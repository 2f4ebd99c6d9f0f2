#pragma once
#include <string>
#include <vector>

#include "graph/json.h"
#include "graph/message.h"
#include "nodes/support/score.h"

namespace flowqat::nodes {

/// What an evaluation finds in a batch, also for another process.
struct HeardBatch {
  int64_t number = 0;  ///< of the batch
  int64_t rows = 0;    ///< that it has
  double audio_s = 0, infer_s = 0;
  struct Utterance {
    int64_t row = 0;
    ErrorCounts words, characters;
    std::string line;  ///< of the listing, as JSON
  };
  std::vector<Utterance> utterances = {};
};

graph::Json counts_json(const ErrorCounts& counts);
ErrorCounts counts_of(const graph::Json& json);

std::string to_text(const std::vector<HeardBatch>& batches);
/// Those of all processes, in the order of their numbers.
std::vector<HeardBatch> in_order(const std::vector<std::string>& of_all);
/// How long the process took that took longest: they work at the same time.
double longest_infer_s(const std::vector<std::string>& of_all);

}  // namespace flowqat::nodes

/// How many utterances of an epoch may be rejected before that ends the run.
#pragma once
#include <cstdint>
#include <string>

#include "graph/known_stream.h"

namespace flowqat::graph {

/// Throws RunError when `rejected` of an epoch's `utterances` are more than the options allow;
/// `last` is what the last one of them was rejected for, and `source` the node that they come from.
void check_rejected(int64_t rejected, int64_t utterances, const PipelineOptions& options,
                    const std::string& source, const std::string& last);

}  // namespace flowqat::graph

#pragma once
#include "graph/params.h"
#include "model/model.h"

namespace flowqat::nodes {

/// The keys `device`, `compute_threads` (0: as many as the process is to use) and `precision` of a
/// model node. Throws GraphError naming
/// the key for a precision that this machine does not have.
model::EngineOptions engine_options(const graph::Params& params);

}  // namespace flowqat::nodes

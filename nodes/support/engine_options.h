#pragma once
#include <string>
#include <vector>

#include "graph/params.h"
#include "model/model.h"

namespace flowqat::nodes {

/// The keys `device`, `compute_threads` (0: as many as the process is to use) and `precision` of a
/// model node. Throws GraphError naming the key for a device that cannot be and for a precision
/// that this machine does not have.
model::EngineOptions engine_options(const graph::Params& params);

/// Opens LibTorch for the models that follow. `notes` receives why "auto" is the CPU, where there
/// is a trace of a GPU.
void configure_engine(const model::EngineOptions& options, std::vector<std::string>& notes);

}  // namespace flowqat::nodes

#pragma once
#include <string>

#include "graph/node.h"

namespace flowqat::cli {

/// Tells `reporter`, which must outlive the reading, how far a corpus is looked through; a signal
/// ends that with Interrupted. `what` is the node, or nothing where there is but one corpus.
graph::IndexProgress index_progress(graph::Reporter& reporter, const std::string& what = "");

}  // namespace flowqat::cli

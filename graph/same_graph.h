/// Whether a run may go on with a graph: what decides of its numbers must be as it was; threads,
/// places and how often is logged and saved may be others.
#pragma once
#include <string>

#include "graph/json.h"

namespace flowqat::graph {

/// What differs between two resolved graphs and may not, with what it was and is, as
/// "/nodes/learn/lr (0.1 before, 0.2 now)"; empty: nothing.
std::string difference(const Json& before, const Json& now);

/// How far each step goes, by its name: the values of its parameters that may grow.
Json lengths_of(const Json& resolved_graph);

/// Of all that may not differ.
std::string graph_checksum(const Json& resolved_graph);

}  // namespace flowqat::graph

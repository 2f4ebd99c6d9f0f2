/// What every command on a graph is told.
#pragma once
#include <string>
#include <vector>

#include "graph/graph_file.h"

namespace flowqat::cli {

struct GraphArguments {
  std::string graph;
  std::vector<std::string> overrides;  ///< NODE.KEY=VALUE or KEY=VALUE
};

/// The graph file with what was overridden, checked; its nodes are not made yet.
graph::GraphSpec resolved_graph(const GraphArguments& arguments);

}  // namespace flowqat::cli

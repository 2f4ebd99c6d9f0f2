/// A graph, built: every node made, in an order in which each stands behind what it draws from.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "graph/graph_file.h"
#include "graph/node.h"

namespace flowqat::graph {

class Graph {
 public:
  /// Makes the nodes. A node's own complaint becomes a GraphError that names file and node.
  explicit Graph(GraphSpec spec);

  const GraphSpec& spec() const { return spec_; }
  const Params& settings() const { return spec_.settings; }
  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  /// In running order.
  const std::vector<Step*>& steps() const { return steps_; }
  const std::vector<Batcher*>& batchers() const { return batchers_; }

 private:
  void check_ranks() const;

  GraphSpec spec_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Step*> steps_;
  std::vector<Batcher*> batchers_;
};

}  // namespace flowqat::graph

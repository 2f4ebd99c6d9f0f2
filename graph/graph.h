/// A graph, built: every node made, in an order in which each stands behind what it draws from.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph_file.h"
#include "graph/node.h"

namespace flowqat::graph {

class Graph {
 public:
  /// Makes the nodes. Their complaints become one GraphError that names file and nodes.
  explicit Graph(GraphSpec spec);

  const GraphSpec& spec() const { return spec_; }
  const Params& settings() const { return spec_.settings; }
  const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  /// In running order.
  const std::vector<Step*>& steps() const { return steps_; }
  const std::vector<Batcher*>& batchers() const { return batchers_; }

 private:
  void make(const NodeSpec& node, std::map<std::string, Node*>& made);

  GraphSpec spec_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Step*> steps_;
  std::vector<Batcher*> batchers_;
};

}  // namespace flowqat::graph

#include "graph/graph.h"

#include <map>

#include "graph/error.h"

namespace flowqat::graph {

Graph::Graph(GraphSpec spec) : spec_(std::move(spec)) {
  std::map<std::string, Node*> made;
  for (const NodeSpec& node : spec_.nodes) {
    NodeArguments arguments{.name = node.name,
                            .params = node.values,
                            .seed = static_cast<uint64_t>(spec_.settings.integer("seed"))};
    for (const auto& [key, targets] : node.edges) {
      for (const std::string& target : targets) arguments.inputs.add(key, made.at(target));
    }
    try {
      nodes_.push_back(node.type->make(std::move(arguments)));
    } catch (const GraphError& error) {
      throw GraphError(spec_.file + ": node \"" + node.name + "\": " + error.what());
    }
    Node* built = made[node.name] = nodes_.back().get();
    if (auto* step = dynamic_cast<Step*>(built)) steps_.push_back(step);
    if (auto* batcher = dynamic_cast<Batcher*>(built)) batchers_.push_back(batcher);
  }
  check_ranks();
}

void Graph::check_ranks() const {
  const int64_t rank = settings().integer("rank"), world_size = settings().integer("world_size");
  if (rank >= world_size) {
    throw GraphError(spec_.file + ": key \"rank\": must be less than world_size, " +
                     std::to_string(world_size) + ", found " + std::to_string(rank));
  }
  if (world_size > 1 && !steps_.empty()) {
    throw GraphError(spec_.file +
                     ": key \"world_size\": several processes can share a data-only "
                     "graph; training in several is not built, so node \"" +
                     steps_.front()->name() + "\" needs world_size 1");
  }
}

}  // namespace flowqat::graph

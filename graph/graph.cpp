#include "graph/graph.h"

#include <map>

#include "graph/error.h"
#include "graph/mistakes.h"

namespace flowqat::graph {

Graph::Graph(GraphSpec spec) : spec_(std::move(spec)) {
  std::map<std::string, Node*> made;
  Mistakes mistakes(spec_.file);
  for (const NodeSpec& node : spec_.nodes) {
    mistakes.collect([&] { make(node, made); }, "node \"" + node.name + "\": ");
  }
  mistakes.throw_if_any();
}

void Graph::make(const NodeSpec& node, std::map<std::string, Node*>& made) {
  NodeArguments arguments{.name = node.name,
                          .params = node.values,
                          .seed = static_cast<uint64_t>(spec_.settings.integer("seed"))};
  for (const auto& [key, targets] : node.edges) {
    for (const std::string& target : targets) {
      const auto found = made.find(target);
      if (found == made.end()) return;  // it complained; what draws from it waits
      arguments.inputs.add(key, found->second);
    }
  }
  nodes_.push_back(node.type->make(std::move(arguments)));
  Node* built = made[node.name] = nodes_.back().get();
  if (auto* step = dynamic_cast<Step*>(built)) steps_.push_back(step);
  if (auto* batcher = dynamic_cast<Batcher*>(built)) batchers_.push_back(batcher);
}

}  // namespace flowqat::graph

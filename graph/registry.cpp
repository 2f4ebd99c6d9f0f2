#include "graph/registry.h"

#include <stdexcept>

namespace flowqat::graph {
namespace {

std::map<std::string, NodeType>& mutable_types() {
  static std::map<std::string, NodeType> types;  // made at first use: registration order is unknown
  return types;
}

}  // namespace

std::string edge_name(EdgeKind kind) {
  switch (kind) {
    case EdgeKind::utterances:
      return "utterances";
    case EdgeKind::batches:
      return "batches";
    case EdgeKind::model:
      return "a model";
    case EdgeKind::none:
      break;
  }
  return "nothing";
}

Node* Inputs::one(const std::string& key) const {
  const auto found = nodes_.find(key);
  return found == nodes_.end() ? nullptr : found->second.front();
}

std::vector<Node*> Inputs::all(const std::string& key) const {
  const auto found = nodes_.find(key);
  return found == nodes_.end() ? std::vector<Node*>{} : found->second;
}

const StreamNode* Inputs::stream(const std::string& key) const {
  return dynamic_cast<const StreamNode*>(one(key));
}

const std::map<std::string, NodeType>& node_types() { return mutable_types(); }

Register::Register(NodeType type) {
  const std::string name = type.name;
  if (!mutable_types().emplace(name, std::move(type)).second) {
    throw std::logic_error("node type registered twice: " + name);
  }
}

}  // namespace flowqat::graph

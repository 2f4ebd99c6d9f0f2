/// Every node type, under its name, with its edges and parameters. A type registers itself from its
/// own file in nodes/; nothing else knows the list.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/node.h"
#include "graph/params.h"

namespace flowqat::graph {

/// What travels along an edge.
enum class EdgeKind { none, utterances, batches, model };
std::string edge_name(EdgeKind kind);

/// A key that draws an edge; its value names another node (or several).
struct InputSpec {
  std::string key = {};
  EdgeKind kind = EdgeKind::utterances;
  bool required = true;
  bool many = false;  ///< a list of names
  std::string doc = {};
};

/// The nodes that a node's edges lead to, already built.
class Inputs {
 public:
  void add(const std::string& key, Node* node) { nodes_[key].push_back(node); }
  /// Null where an optional edge is not drawn.
  Node* one(const std::string& key) const;
  std::vector<Node*> all(const std::string& key) const;
  /// The upstream of a stream node.
  const StreamNode* stream(const std::string& key) const;

 private:
  std::map<std::string, std::vector<Node*>> nodes_;
};

/// All that a node is built from.
struct NodeArguments {
  std::string name = {};
  Params params = {};
  Inputs inputs = {};
  uint64_t seed = 0;  ///< the run's
};

struct NodeType {
  std::string name = {};  ///< also the name of its file in nodes/
  std::string doc = {};   ///< one line
  EdgeKind output = EdgeKind::none;
  bool may_end = false;  ///< whether nothing needs to consume its output
  std::vector<InputSpec> inputs = {};
  std::vector<ParamSpec> params = {};
  std::function<std::unique_ptr<Node>(NodeArguments)> make = {};
};

const std::map<std::string, NodeType>& node_types();

/// A static object of this class in a node's file registers the type.
class Register {
 public:
  explicit Register(NodeType type);
};

}  // namespace flowqat::graph

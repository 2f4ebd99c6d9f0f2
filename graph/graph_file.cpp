#include "graph/graph_file.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "base/foreign.h"
#include "base/json_text.h"
#include "graph/error.h"

namespace flowqat::graph {
namespace {

std::string where(const std::string& file, const std::string& node, const std::string& key) {
  return file + (node.empty() ? "" : ": node \"" + node + "\"") +
         (key.empty() ? "" : ": key \"" + key + "\"") + ": ";
}

Json with_defaults(const std::vector<ParamSpec>& specs, const Json& given,
                   const std::vector<std::string>& other_keys, const std::string& file,
                   const std::string& node) {
  std::vector<std::string> known = other_keys;
  for (const ParamSpec& spec : specs) known.push_back(spec.name);
  for (const auto& [key, value] : given.items()) {
    if (key != "comment" && std::find(known.begin(), known.end(), key) == known.end()) {
      throw GraphError(where(file, node, key) + "unknown key" + suggestion(key, known) +
                       " (allowed: " + quoted_list(known) + ", \"comment\")");
    }
  }
  Json values = Json::object();
  for (const ParamSpec& spec : specs) {
    if (given.contains(spec.name)) {
      if (const auto wrong = check(spec, given[spec.name])) {
        throw GraphError(where(file, node, spec.name) + *wrong);
      }
      values[spec.name] = given[spec.name];
    } else if (spec.fallback.is_none()) {
      throw GraphError(where(file, node, spec.name) + "missing; it must be " + describe_kind(spec) +
                       " (" + spec.doc + ")");
    } else {
      values[spec.name] = spec.fallback.json();
    }
  }
  return values;
}

Json without_retired(Json graph, const std::string& file) {
  for (const auto& [key, harmless] : retired_settings) {
    if (!graph.contains(key)) continue;
    if (graph[key] != Json(harmless)) {
      throw GraphError(
          where(file, "", key) +
          "is no key of a graph any more: how many processes share the work, and which "
          "of them one is, is told by who starts them (--processes N, torchrun, srun or "
          "mpirun: docs/cluster.md); remove it");
    }
    graph.erase(key);
  }
  return graph;
}

const NodeType& type_of(const Json& node, const std::string& name, const std::string& file) {
  std::vector<std::string> known;
  for (const auto& [type, unused] : node_types()) known.push_back(type);
  if (!node.is_object()) {
    throw GraphError(where(file, name, "") + "must be an object, found " + shown(node));
  }
  if (!node.contains("type") || !node["type"].is_string()) {
    throw GraphError(where(file, name, "type") + "missing; it names one of " + quoted_list(known));
  }
  const std::string type = node["type"].get<std::string>();
  const auto found = node_types().find(type);
  if (found == node_types().end()) {
    throw GraphError(where(file, name, "type") + "unknown node type \"" + type + "\"" +
                     suggestion(type, known) + " (there are " + quoted_list(known) + ")");
  }
  return found->second;
}

std::vector<std::string> edge_targets(const Json& value, const InputSpec& input,
                                      const std::string& at) {
  const bool list = input.many && value.is_array();
  if (!list && !value.is_string()) {
    throw GraphError(at + "must be the name of a node" + (input.many ? " or a list of names" : "") +
                     ", found " + shown(value));
  }
  if (!list) return {value.get<std::string>()};
  std::vector<std::string> names;
  for (const Json& name : value) {
    if (!name.is_string()) {
      throw GraphError(at + "must be a list of node names, found " + shown(value));
    }
    names.push_back(name.get<std::string>());
  }
  if (names.empty()) throw GraphError(at + "must name at least one node");
  return names;
}

NodeSpec resolve_node(const std::string& name, const Json& node, const std::string& file) {
  NodeSpec spec{.name = name, .type = &type_of(node, name, file)};
  std::vector<std::string> other_keys{"type"};
  for (const InputSpec& input : spec.type->inputs) other_keys.push_back(input.key);
  spec.values = Params(with_defaults(spec.type->params, node, other_keys, file, name));
  if (node.contains("comment")) spec.comment = node["comment"].dump();
  for (const InputSpec& input : spec.type->inputs) {
    const std::string at = where(file, name, input.key);
    if (node.contains(input.key)) {
      spec.edges[input.key] = edge_targets(node[input.key], input, at);
    } else if (input.required) {
      throw GraphError(at + "missing; it names the node that gives " + edge_name(input.kind));
    }
  }
  return spec;
}

/// Edges lead to nodes that exist and give what the edge carries.
void check_edges(const std::map<std::string, NodeSpec>& nodes, const std::string& file) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : nodes) names.push_back(name);
  for (const auto& [name, node] : nodes) {
    for (const InputSpec& input : node.type->inputs) {
      const auto edge = node.edges.find(input.key);
      if (edge == node.edges.end()) continue;
      for (const std::string& target : edge->second) {
        const std::string at = where(file, name, input.key);
        const auto found = nodes.find(target);
        if (found == nodes.end()) {
          throw GraphError(at + "there is no node \"" + target + "\"" + suggestion(target, names) +
                           " (there are " + quoted_list(names) + ")");
        }
        if (found->second.type->output != input.kind) {
          throw GraphError(at + "needs " + edge_name(input.kind) + ", but \"" + target + "\" (" +
                           found->second.type->name + ") gives " +
                           edge_name(found->second.type->output));
        }
      }
    }
  }
}

void check_uses(const std::map<std::string, NodeSpec>& nodes, const std::string& file) {
  std::set<std::string> used;
  bool has_steps = false;
  for (const auto& [name, node] : nodes) {
    has_steps |= node.type->output == EdgeKind::model || node.type->output == EdgeKind::none;
    for (const auto& [key, targets] : node.edges) used.insert(targets.begin(), targets.end());
  }
  for (const auto& [name, node] : nodes) {
    const bool is_drained = !has_steps && node.type->output == EdgeKind::batches;
    if (!used.count(name) && !node.type->may_end && !is_drained) {
      throw GraphError(where(file, name, "") + "nothing uses the " + edge_name(node.type->output) +
                       " that it gives; connect it or remove it");
    }
  }
}

/// Depth first, in the file's order; names the nodes of a cycle.
class TopologicalOrder {
 public:
  TopologicalOrder(const std::map<std::string, NodeSpec>& nodes, const std::string& file)
      : nodes_(nodes), file_(file) {}

  void visit(const std::string& name) {
    if (done_.count(name)) return;
    path_.push_back(name);
    if (std::count(path_.begin(), path_.end(), name) > 1) {
      std::string cycle;
      for (auto at = std::find(path_.begin(), path_.end(), name); at != path_.end(); ++at) {
        cycle += (cycle.empty() ? "" : " <- ") + *at;
      }
      throw GraphError(where(file_, name, "") + "the edges run in a circle: " + cycle);
    }
    for (const auto& [key, targets] : nodes_.at(name).edges) {
      for (const std::string& target : targets) visit(target);
    }
    path_.pop_back();
    done_.insert(name);
    order.push_back(name);
  }

  std::vector<std::string> order;

 private:
  const std::map<std::string, NodeSpec>& nodes_;
  const std::string& file_;
  std::set<std::string> done_;
  std::vector<std::string> path_;
};

}  // namespace

Json read_graph(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::error_code code(stream ? 0 : errno, std::generic_category());
  if (!code && std::filesystem::is_directory(file))
    code = std::make_error_code(std::errc::is_a_directory);
  if (code) {
    throw GraphError(file.string() + ": cannot be read: " + code.message() +
                     "; --graph takes a graph file such as "
                     "configs/quickstart.json");
  }
  std::string text;
  try {
    text = json_text(stream);
    return parse_json<Json>(text, {.comments = true, .repeated_keys = false});
  } catch (const JsonError& error) {
    if (const std::string what = foreign_content(text); !what.empty()) {
      throw GraphError(file.string() + ": not valid JSON: " + what);
    }
    throw GraphError(file.string() + ": not valid JSON: " + error.what());
  }
}

void override_value(Json& graph, const std::string& assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw GraphError("--set " + assignment + ": expected NODE.KEY=VALUE or KEY=VALUE");
  }
  const std::string target = assignment.substr(0, equals), text = assignment.substr(equals + 1);
  Json value;
  try {
    value = parse_json<Json>(text);
  } catch (const JsonError&) {
    value = text;
  }
  if (!graph.is_object()) return;  // resolve() says what it must be, and the same of a node
  const size_t dot = target.find('.');
  if (dot == std::string::npos) {
    if (target == "nodes")
      throw GraphError("--set nodes=...: name a node's key, as NODE.KEY=VALUE");
    graph[target] = value;
    return;
  }
  const std::string node = target.substr(0, dot), key = target.substr(dot + 1);
  if (!graph.contains("nodes") || !graph["nodes"].contains(node)) {
    std::vector<std::string> names;
    if (graph.contains("nodes")) {
      for (const auto& [name, unused] : graph["nodes"].items()) names.push_back(name);
    }
    throw GraphError("--set " + assignment + ": there is no node \"" + node + "\"" +
                     suggestion(node, names) + " (there are " + quoted_list(names) + ")");
  }
  if (Json& its = graph["nodes"][node]; its.is_object()) its[key] = value;
}

GraphSpec resolve(const Json& graph, const std::string& file) {
  if (!graph.is_object()) throw GraphError(file + ": must hold one JSON object");
  GraphSpec spec{.file = file,
                 .settings = Params(with_defaults(setting_specs(), without_retired(graph, file),
                                                  {"nodes"}, file, ""))};
  if (!graph.contains("nodes") || !graph["nodes"].is_object() || graph["nodes"].empty()) {
    throw GraphError(where(file, "", "nodes") + "must be an object of named nodes");
  }
  std::map<std::string, NodeSpec> nodes;
  for (const auto& [name, node] : graph["nodes"].items()) {
    nodes.emplace(name, resolve_node(name, node, file));
  }
  check_edges(nodes, file);
  TopologicalOrder topological(nodes, file);
  for (const auto& [name, unused] : graph["nodes"].items()) topological.visit(name);
  check_uses(nodes, file);
  for (const std::string& name : topological.order) spec.nodes.push_back(nodes.at(name));
  return spec;
}

Json GraphSpec::resolved() const {
  Json graph = settings.json();
  Json& all = graph["nodes"] = Json::object();
  for (const NodeSpec& node : nodes) {
    Json& object = all[node.name] = {{"type", node.type->name}};
    for (const InputSpec& input : node.type->inputs) {
      const auto edge = node.edges.find(input.key);
      if (edge == node.edges.end()) continue;
      object[input.key] = input.many ? Json(edge->second) : Json(edge->second.front());
    }
    for (const auto& [key, value] : node.values.json().items()) object[key] = value;
    if (!node.comment.empty()) object["comment"] = parse_json<Json>(node.comment);
  }
  return graph;
}

}  // namespace flowqat::graph

#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/commands.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/registry.h"

namespace flowqat::cli {
namespace {

using graph::NodeType;

std::string list_all() {
  std::string text;
  for (const auto& [name, type] : graph::node_types()) {
    text += graph::format("%-14s %s\n", name.c_str(), type.doc.c_str());
  }
  return text;
}

std::string description(const NodeType& type) {
  std::ostringstream text;
  text << type.name << ": " << type.doc << "\ngives " << graph::edge_name(type.output) << "\n";
  if (!type.inputs.empty()) text << "\nedges\n";
  for (const graph::InputSpec& input : type.inputs) {
    text << "  " << input.key << ": " << input.doc << "\n      "
         << (input.required ? "needed; " : "optional; ")
         << (input.many ? "one or more nodes that each give " : "a node that gives ")
         << graph::edge_name(input.kind) << "\n";
  }
  if (!type.params.empty()) text << "\nparameters\n";
  for (const graph::ParamSpec& param : type.params) {
    text << "  " << param.name << ": " << param.doc << "\n      " << graph::describe_kind(param)
         << (param.fallback.is_none() ? "; needed" : "; default " + param.fallback.json().dump())
         << "\n";
  }
  return text.str();
}

int nodes(const std::string& type) {
  if (type.empty()) {
    Terminal().result(list_all());
    return kDone;
  }
  const auto found = graph::node_types().find(type);
  if (found == graph::node_types().end()) {
    std::vector<std::string> known;
    for (const auto& [name, unused] : graph::node_types()) known.push_back(name);
    throw graph::GraphError("there is no node type \"" + type + "\"" +
                            graph::suggestion(type, known) + " (there are " +
                            graph::quoted_list(known) + ")");
  }
  Terminal().result(description(found->second));
  return kDone;
}

}  // namespace

Command nodes_command() {
  const auto type = std::make_shared<std::string>();
  return {.name = "nodes",
          .doc = "lists the node types, or one with all its parameters",
          .examples = {"flowqat nodes", "flowqat nodes train"},
          .arguments = {{.name = "TYPE", .doc = "a node type", .target = type.get()}},
          .run = [type] { return nodes(*type); }};
}

}  // namespace flowqat::cli

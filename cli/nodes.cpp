#include <cstdio>
#include <iostream>

#include "cli/commands.h"
#include "graph/error.h"
#include "graph/registry.h"

namespace flowqat::cli {
namespace {

using graph::NodeType;

void list_all() {
  for (const auto& [name, type] : graph::node_types())
    std::printf("%-14s %s\n", name.c_str(), type.doc.c_str());
}

void describe(const NodeType& type) {
  std::cout << type.name << ": " << type.doc << "\ngives " << graph::edge_name(type.output) << "\n";
  if (!type.inputs.empty()) std::cout << "\nedges\n";
  for (const graph::InputSpec& input : type.inputs) {
    std::cout << "  " << input.key << ": " << input.doc << "\n      "
              << (input.required ? "needed; " : "optional; ")
              << (input.many ? "one or more nodes that each give " : "a node that gives ")
              << graph::edge_name(input.kind) << "\n";
  }
  if (!type.params.empty()) std::cout << "\nparameters\n";
  for (const graph::ParamSpec& param : type.params) {
    std::cout << "  " << param.name << ": " << param.doc << "\n      "
              << graph::describe_kind(param)
              << (param.fallback.is_null() ? "; needed" : "; default " + param.fallback.dump())
              << "\n";
  }
}

}  // namespace

int nodes(const std::string& type) {
  if (type.empty()) {
    list_all();
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
  describe(found->second);
  return kDone;
}

}  // namespace flowqat::cli

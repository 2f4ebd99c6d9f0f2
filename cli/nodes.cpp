/// `flowqat nodes`: what a graph may be made of.
#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/nodes_page.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "graph/graph_file.h"

namespace flowqat::cli {
namespace {

struct NodesArguments {
  std::string name;  ///< of a type or a top-level key; empty: all
  bool markdown = false;
};

std::string text_about(const std::string& name) {
  const auto type = graph::node_types().find(name);
  if (type != graph::node_types().end()) return node_text(type->second);
  const auto& keys = graph::setting_specs();
  const auto key = std::ranges::find(keys, name, &graph::ParamSpec::name);
  if (key != keys.end()) return key_text(*key);
  std::vector<std::string> known;
  for (const auto& [known_type, unused] : graph::node_types()) known.push_back(known_type);
  throw graph::GraphError("there is no node type \"" + name + "\"" +
                          graph::suggestion(name, known) + " (there are " +
                          graph::quoted_list(known) + ")");
}

int nodes(const NodesArguments& arguments) {
  Terminal terminal;
  if (arguments.markdown) {
    terminal.result(nodes_page());
  } else {
    terminal.result(arguments.name.empty() ? nodes_text() : text_about(arguments.name));
  }
  return kDone;
}

}  // namespace

Command nodes_command() {
  const auto told = std::make_shared<NodesArguments>();
  return {.name = "nodes",
          .doc = "lists the node types and a graph's top-level keys, or all keys of one type",
          .examples = {"flowqat nodes", "flowqat nodes train",
                       "flowqat nodes --markdown >docs/nodes.md"},
          .arguments = {{.name = "TYPE",
                         .doc = "a node type, or a top-level key",
                         .target = &told->name},
                        {.name = "--markdown",
                         .doc = "print the page of all types and keys",
                         .target = &told->markdown}},
          .run = [told] { return nodes(*told); }};
}

}  // namespace flowqat::cli

/// `flowqat validate`: all that can be known of a graph before it runs.
#include <memory>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/graph_arguments.h"
#include "cli/terminal.h"
#include "graph/fetch.h"
#include "graph/graph.h"

namespace flowqat::cli {
namespace {

int validate(const GraphArguments& arguments) {
  const graph::Graph graph(resolved_graph(arguments));
  std::string text = arguments.graph + ": valid, " + std::to_string(graph.spec().nodes.size()) +
                     " nodes, " + std::to_string(graph.steps().size()) +
                     " of them on the model's side\n";
  for (const auto& node : graph.nodes()) {
    if (const auto fetch = node->missing()) {
      text += node->name() + ": a run begins with " + fetch->text() + "\n";
    }
  }
  Terminal().result(text);
  return kDone;
}

}  // namespace

Command validate_command() {
  const auto told = std::make_shared<GraphArguments>();
  return {.name = "validate",
          .doc = "checks a graph, and all that its nodes are given",
          .examples = {"flowqat validate configs/quickstart.json",
                       "flowqat validate configs/quickstart.json --set learn.epochs=3"},
          .arguments = {graph_argument(told->graph), set_option(told->overrides)},
          .run = [told] { return validate(*told); }};
}

}  // namespace flowqat::cli

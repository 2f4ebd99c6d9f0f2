#include "graph/run.h"

#include <iostream>

#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/signals.h"
#include "cli/terminal.h"

namespace flowqat::cli {

graph::GraphSpec resolved_graph(const GraphArguments& arguments) {
  graph::Json file = graph::read_graph(arguments.graph);
  for (const std::string& assignment : arguments.overrides) graph::override_value(file, assignment);
  return graph::resolve(file, arguments.graph);
}

int validate(const GraphArguments& arguments) {
  const graph::Graph graph(resolved_graph(arguments));
  std::cout << arguments.graph << ": valid, " << graph.spec().nodes.size() << " nodes, "
            << graph.steps().size() << " of them on the model's side\n";
  for (const auto& node : graph.nodes()) {
    if (const auto fetch = node->missing()) {
      std::cout << node->name() << ": a run begins with " << fetch->text() << "\n";
    }
  }
  return kDone;
}

int run(const RunArguments& arguments) {
  GraphArguments placed = arguments;
  if (!arguments.out.empty())
    placed.overrides.push_back("out=" + graph::Json(arguments.out).dump());
  graph::Graph graph(resolved_graph(placed));
  if (!graph.steps().empty()) quiet_openmp();

  Terminal terminal;
  const graph::RunOptions options{.existing = arguments.resume      ? graph::Existing::resume
                                              : arguments.overwrite ? graph::Existing::overwrite
                                                                    : graph::Existing::refuse,
                                  .reporter = &terminal,
                                  .stop_signal = &catch_stop_signals()};
  // Nothing is fetched for a run that has no place to go.
  graph::check_run_folder(graph.settings().text("out"), graph.spec().resolved(), options.existing);
  graph::fetch_missing(graph, {terminal, *options.stop_signal});
  graph::run_graph(graph, options);
  terminal.say("written to " + graph.settings().text("out"));
  return kDone;
}

}  // namespace flowqat::cli

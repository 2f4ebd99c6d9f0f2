#include "graph/run.h"

#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/signals.h"
#include "cli/terminal.h"

namespace flowqat::cli {

int run(const RunArguments& arguments) {
  graph::Json file = graph::read_graph(arguments.graph);
  for (const std::string& assignment : arguments.overrides) graph::override_value(file, assignment);
  if (!arguments.out.empty()) file["out"] = arguments.out;
  const graph::Graph graph(graph::resolve(file, arguments.graph));
  if (!graph.steps().empty()) quiet_openmp();

  Terminal terminal;
  graph::run_graph(graph, {.existing = arguments.resume      ? graph::Existing::resume
                                       : arguments.overwrite ? graph::Existing::overwrite
                                                             : graph::Existing::refuse,
                           .reporter = &terminal,
                           .stop_signal = &catch_stop_signals()});
  terminal.say("written to " + graph.settings().text("out"));
  return kDone;
}

}  // namespace flowqat::cli

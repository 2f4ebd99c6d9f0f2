/// `flowqat validate`: all that can be known of a graph before it runs.
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/graph_arguments.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "graph/check.h"
#include "graph/fetch.h"
#include "graph/graph.h"
#include "graph/run_folder.h"

namespace flowqat::cli {
namespace {

/// What the run's folder is and what will become of it.
std::string line_of(const std::filesystem::path& out) {
  const bool holds_run = graph::holds_run(out);
  return "out: " + out.string() + " can be written" +
         (holds_run ? ", but holds a run: --resume goes on with it, --overwrite replaces it\n"
                    : "\n");
}

int validate(const GraphArguments& arguments) {
  const graph::Graph graph(resolved_graph(arguments));
  const std::string out = graph.settings().text("out");
  graph::check_run_folder(out, graph.spec().resolved(), graph::Existing::overwrite);
  Terminal terminal;
  const graph::Checked checked = graph::check(graph, terminal, catch_stop_signals());
  std::string text = arguments.graph + ": valid, " + std::to_string(graph.spec().nodes.size()) +
                     " nodes, " + std::to_string(graph.steps().size()) +
                     " of them on the model's side\n";
  for (const std::string& line : checked.seen) text += line + "\n";
  text += line_of(out);
  for (const auto& node : graph.nodes()) {
    if (const auto fetch = node->missing()) {
      text += node->name() + ": a run begins with " + fetch->text() + "\n";
    }
  }
  for (const std::string& line : checked.open) text += "not known yet: " + line + "\n";
  terminal.result(text);
  return kDone;
}

}  // namespace

Command validate_command() {
  const auto told = std::make_shared<GraphArguments>();
  return {
      .name = "validate",
      .doc = "checks all of a graph that can be known before it runs: corpora, transcripts, models",
      .examples = {"flowqat validate configs/quickstart.json",
                   "flowqat validate configs/quickstart.json --set learn.epochs=3"},
      .arguments = {graph_argument(told->graph), set_option(told->overrides)},
      .run = [told] { return validate(*told); }};
}

}  // namespace flowqat::cli

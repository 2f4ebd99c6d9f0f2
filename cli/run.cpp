/// `flowqat run GRAPH` and `flowqat --graph GRAPH`: a whole graph, with its model's side.
#include "graph/run.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/graph_arguments.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "cli/version.h"
#include "graph/check.h"
#include "graph/error.h"

namespace flowqat::cli {
namespace {

struct RunArguments : GraphArguments {
  std::string out;  ///< empty: as the graph says
  bool resume = false, overwrite = false;
};

/// What the program itself is told.
struct ProgramArguments : RunArguments {
  bool version = false;
};

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
  const auto lacks = [](const auto& node) { return node->missing() != nullptr; };
  if (std::ranges::any_of(graph.nodes(), lacks)) {
    graph::check(graph, terminal, *options.stop_signal);  // what is there already
    graph::fetch_missing(graph, {terminal, *options.stop_signal});
  }
  graph::run_graph(graph, options);
  terminal.say("written to " + graph.settings().text("out"));
  return kDone;
}

/// `graph`: how the graph is given.
std::vector<Argument> run_arguments(RunArguments& told, const Argument& graph) {
  return {
      graph,
      set_option(told.overrides),
      output_option(told.out, "--out", "the run's folder, instead of the graph's \"out\"", "DIR"),
      {.name = "--resume",
       .doc = "go on with the run that the folder holds",
       .target = &told.resume,
       .excludes = "--overwrite"},
      overwrite_option(told.overwrite)};
}

}  // namespace

Command run_command() {
  const auto told = std::make_shared<RunArguments>();
  return {.name = "run",
          .doc = "runs a graph, as flowqat --graph does",
          .examples = {"flowqat run configs/quickstart.json --out runs/first",
                       "flowqat run configs/quickstart.json --out runs/first --resume"},
          .arguments = run_arguments(*told, graph_argument(told->graph)),
          .run = [told] { return run(*told); }};
}

Command program() {
  const auto told = std::make_shared<ProgramArguments>();
  std::vector<Argument> arguments = run_arguments(
      *told,
      {.name = "--graph", .value = "FILE", .doc = "the graph file to run", .target = &told->graph});
  arguments.push_back({.name = "--version",
                       .doc = "print the versions of the program and of what it computes with",
                       .target = &told->version});
  return {.name = "flowqat",
          .doc =
              "fine-tunes wav2vec2 CTC speech recognisers with quantization-aware training and "
              "ships them as int8",
          .notes =
              "Exit status: 0 done; 1 failed; 2 the command line or the graph asks for what cannot "
              "be, or names what is not there; 3 standard output or a file cannot be written; 130 "
              "or 143 interrupted.",
          .examples = {"flowqat transcribe facebook/wav2vec2-base-960h recording.flac",
                       "flowqat --graph configs/quickstart.json --out runs/first",
                       "flowqat help quantize"},
          .arguments = arguments,
          .parts = {new_command(), run_command(), validate_command(), dot_command(),
                    profile_command(), nodes_command(), transcribe_command(), evaluate_command(),
                    inspect_command(), quantize_command(), convert_command(), sensitivity_command(),
                    ranges_command(), export_command(), fetch_command(), help_command()},
          .run = [told] {
            if (told->version) {
              Terminal().result(version_text());
              return kDone;
            }
            if (told->graph.empty()) {
              throw graph::GraphError(
                  "nothing to do: give --graph FILE or a command; flowqat --help lists them");
            }
            return run(*told);
          }};
}

}  // namespace flowqat::cli

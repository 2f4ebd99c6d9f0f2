/// `flowqat run GRAPH` and `flowqat --graph GRAPH`: a whole graph, with its model's side.
#include "graph/run.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/failure.h"
#include "cli/graph_arguments.h"
#include "cli/processes.h"
#include "cli/ranks.h"
#include "cli/signals.h"
#include "cli/silent_reporter.h"
#include "cli/terminal.h"
#include "cli/version.h"
#include "graph/check.h"
#include "graph/error.h"
#include "model/model.h"
#include "nodes/support/group_peers.h"
#include "report/run_record.h"

namespace flowqat::cli {
namespace {

struct RunArguments : GraphArguments {
  std::string out;                  ///< empty: as the graph says
  std::vector<std::string> resume;  ///< none: not asked for; empty: the folder as `out` says
  bool resume_or_start = false, overwrite = false, accept_changes = false;
  int processes = 0;  ///< to be started here; 0 or 1: none
};

/// What the program itself is told.
struct ProgramArguments : RunArguments {
  bool version = false;
};

/// `--resume DIR` says all: where the run is, and by the run's own graph what it is.
RunArguments completed(RunArguments told) {
  if (told.resume.empty()) {
    if (told.accept_changes && !told.resume_or_start) {
      throw graph::GraphError("--accept-changes: is for --resume");
    }
    return told;
  }
  std::string folder = told.resume.back();
  // "run --resume GRAPH": the option took what was not meant for it.
  if (told.graph.empty() && std::filesystem::is_regular_file(folder)) {
    std::swap(told.graph, folder);
  }
  if (!folder.empty() && !told.out.empty() &&
      std::filesystem::weakly_canonical(folder) != std::filesystem::weakly_canonical(told.out)) {
    throw graph::GraphError("--resume " + folder + " and --out " + told.out +
                            " name two folders; one is enough");
  }
  if (told.out.empty()) told.out = folder;
  if (!told.graph.empty()) return told;
  if (told.out.empty()) {
    throw graph::GraphError(
        "--resume: expected the run's folder behind it, as in flowqat run --resume runs/first");
  }
  told.graph = graph::graph_of_run(told.out);
  return told;
}

/// Who else works on the run, from where this process was started.
std::optional<nodes::GroupPeers> join_others(model::Rank rank, const graph::Params& settings) {
  if (rank.size == 1) return std::nullopt;
  rank.timeout_s = settings.number("timeout_s");
  return nodes::GroupPeers(model::engine().join(rank));
}

graph::Existing existing_of(const RunArguments& arguments, const graph::Graph& graph) {
  if (!arguments.resume.empty()) return graph::Existing::resume;
  if (arguments.resume_or_start && graph::holds_run(graph.settings().text("out"))) {
    return graph::Existing::resume;
  }
  return arguments.overwrite ? graph::Existing::overwrite : graph::Existing::refuse;
}

/// What the graph lacks, by rank 0 for all.
void fetch(graph::Graph& graph, graph::Together& together, const graph::RunOptions& options) {
  const auto lacks = [](const auto& node) { return node->missing() != nullptr; };
  const bool fetches = std::ranges::any_of(graph.nodes(), lacks);
  together.first([&] {
    // Nothing is fetched for a run that has no place to go.
    graph::check_run_folder(graph.settings().text("out"), graph.spec().resolved(),
                            options.existing);
    if (!fetches) return;
    const std::atomic<int>& stop_signal = together.stop_signal();
    // What is there already.
    graph::check(graph, *options.reporter, stop_signal, together.size(), together.local_size());
    graph::fetch_missing(graph, {*options.reporter, stop_signal});
  });
  if (fetches && !together.is_first()) graph = graph::Graph(graph.spec());
}

/// Where a process stands among those of its run.
struct Sharing {
  StartedRank started = started_rank();
  std::optional<nodes::GroupPeers> peers = {};
  bool meets = false;  ///< or has met
};

/// Whether rank 0 tells of the exception that is being handled, so that this process need not.
bool is_told_by_first(const Sharing& sharing, const std::string& text) try {
  try {
    throw;
  } catch (const model::PeerError& lost) {
    // With rank 0 the store may be gone, or hang.
    if (lost.missing().empty() || lost.missing().front() == 0) return false;
  } catch (...) {  // any other
  }
  if (sharing.peers) return sharing.peers->group()->is_told(text);
  return !sharing.meets && model::engine().is_told(sharing.started.rank, text);
} catch (const std::exception&) {
  return false;
}

int run_shared(const RunArguments& told, Sharing& sharing) {
  const RunArguments arguments = completed(told);
  if (arguments.graph.empty()) {
    throw graph::GraphError(
        "run: GRAPH (or --graph) is missing: the graph file (flowqat run --help)");
  }
  GraphArguments placed = arguments;
  const StartedRank& started = sharing.started;
  if (arguments.processes > 1) {
    if (started.rank.size > 1) {
      throw graph::GraphError(
          "--processes: this process was started as one of " + std::to_string(started.rank.size) +
          " by others (RANK, Slurm's or Open MPI's variables say so); start one "
          "process with --processes, or leave the option out");
    }
    resolved_graph(placed);  // what is wrong with it is told once
    return run_processes(arguments.processes);
  }
  if (!arguments.out.empty())
    placed.overrides.push_back("out=" + graph::Json(arguments.out).dump());
  graph::Graph graph(resolved_graph(placed));
  if (!graph.steps().empty() || started.rank.size > 1) quiet_openmp();

  const bool speaks = started.rank.rank == 0;
  Terminal terminal;
  SilentReporter silent;
  report::RunRecord record;
  const std::atomic<int>& stop_signal = catch_stop_signals(true);
  sharing.meets = true;
  std::optional<nodes::GroupPeers>& peers = sharing.peers;
  peers = join_others(started.rank, graph.settings());
  graph::RunOptions options{.existing = existing_of(arguments, graph),
                            .stop_signal = &stop_signal,
                            .accept_changes = arguments.accept_changes,
                            .peers = peers ? &*peers : nullptr,
                            .cores = cores_of(started)};
  options.reporter = speaks ? static_cast<graph::Reporter*>(&terminal) : &silent;
  if (speaks) options.listener = &record;
  graph::Together together(options.peers, stop_signal);
  fetch(graph, together, options);
  graph::run_graph(graph, options);
  if (speaks) terminal.say("written to " + graph.settings().text("out"));
  return kDone;
}

int run(const RunArguments& told) {
  Sharing sharing;
  try {
    return run_shared(told, sharing);
  } catch (const graph::Interrupted&) {
    throw;
  } catch (...) {
    const model::Rank& rank = sharing.started.rank;
    if (rank.size == 1) throw;
    const Failure failure = current_failure();
    // First said, then known to the others: who started them may end all when one has ended.
    if (rank.rank == 0) tell(failure);
    const bool is_told = is_told_by_first(sharing, failure.message);
    if (rank.rank > 0 && !is_told) throw;
    return failure.status;
  }
}

/// `graph`: how the graph is given.
std::vector<Argument> run_arguments(RunArguments& told, const Argument& graph) {
  return {
      graph,
      set_option(told.overrides),
      output_option(told.out, "--out", "the run's folder, instead of the graph's \"out\"", "DIR"),
      {.name = "--resume",
       .value = "[DIR]",
       .doc = "go on with the run that the folder holds, by its own graph where none is given",
       .target = &told.resume,
       .excludes = "--overwrite",
       .may_stand_alone = true},
      {.name = "--resume-or-start",
       .doc = "go on with the run that --out or the graph's \"out\" holds, or begin it: for who "
              "starts the same command again after a failure",
       .target = &told.resume_or_start,
       .excludes = "--resume"},
      {.name = "--processes",
       .value = "N",
       .doc = "share the run among N processes of this machine, which the program starts "
              "(torchrun, srun and mpirun start them on several)",
       .target = &told.processes,
       .minimum = 1,
       .maximum = 1024,
       .fallback = "one alone"},
      {.name = "--accept-changes",
       .doc = "resume although the corpus, or other files that the run is made from, are not what "
              "they were",
       .target = &told.accept_changes},
      overwrite_option(told.overwrite)};
}

}  // namespace

Command run_command() {
  const auto told = std::make_shared<RunArguments>();
  Argument graph = graph_argument(told->graph);
  graph.required = false;  // a run that is resumed has its own
  return {.name = "run",
          .doc = "runs a graph, as flowqat --graph does",
          .examples = {"flowqat run configs/quickstart.json --out runs/first",
                       "flowqat run --resume runs/first"},
          .arguments = run_arguments(*told, graph),
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
              "be, or names what is not there; 3 standard output or a file cannot be written; 128 "
              "and the signal's number (130 for Ctrl-C, 143 for SIGTERM) interrupted.",
          .examples = {"flowqat transcribe facebook/wav2vec2-base-960h recording.flac",
                       "flowqat --graph configs/quickstart.json --out runs/first",
                       "flowqat help quantize"},
          .arguments = arguments,
          .parts = {new_command(), run_command(), runs_command(), validate_command(), dot_command(),
                    profile_command(), nodes_command(), transcribe_command(), evaluate_command(),
                    inspect_command(), vocabulary_command(), quantize_command(), convert_command(),
                    sensitivity_command(), ranges_command(), export_command(), fetch_command(),
                    help_command()},
          .run = [told] {
            if (told->version) {
              Terminal().result(version_text());
              return kDone;
            }
            if (told->graph.empty() && told->resume.empty()) {
              throw graph::GraphError(
                  "nothing to do: give --graph FILE or a command; flowqat --help lists them");
            }
            return run(*told);
          }};
}

}  // namespace flowqat::cli

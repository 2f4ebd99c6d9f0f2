#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/commands.h"
#include "graph/error.h"

namespace {

using namespace flowqat;

int dispatch(int argc, char** argv) {
  CLI::App app{
      "Fine-tunes wav2vec2 CTC speech recognisers with quantization-aware training and ships "
      "them as int8."};
  app.name("flowqat");
  app.require_subcommand(0, 1);

  cli::RunArguments run;
  app.add_option("--graph", run.graph, "the graph file to run")->option_text("FILE");
  app.add_option("--set", run.overrides, "override a value of the graph; may be repeated")
      ->option_text("NODE.KEY=VALUE")
      ->expected(1)
      ->take_all();
  app.add_option("--out", run.out, "the run's folder, instead of the graph's \"out\"")
      ->option_text("DIR");
  CLI::Option* resume =
      app.add_flag("--resume", run.resume, "go on with the run that the folder holds");
  app.add_flag("--overwrite", run.overwrite, "replace the run that the folder holds")
      ->excludes(resume);

  std::string type;
  CLI::App* nodes =
      app.add_subcommand("nodes", "lists the node types, or one with all its parameters");
  nodes->add_option("TYPE", type, "a node type");

  cli::GraphArguments looked_at;
  const auto add_graph_command = [&](const char* name, const char* doc) {
    CLI::App* command = app.add_subcommand(name, doc);
    command->add_option("--graph", looked_at.graph, "the graph file")
        ->option_text("FILE")
        ->required();
    command->add_option("--set", looked_at.overrides, "override a value of the graph")
        ->option_text("NODE.KEY=VALUE")
        ->expected(1)
        ->take_all();
    return command;
  };
  const CLI::App* validator =
      add_graph_command("validate", "checks a graph, and all that its nodes are given");
  const CLI::App* drawer =
      add_graph_command("dot", "draws a graph, as text for Graphviz: ... | dot -Tsvg -o graph.svg");

  cli::TranscribeArguments transcribe;
  CLI::App* transcriber = app.add_subcommand("transcribe", "prints what is said in audio files");
  transcriber->add_option("MODEL", transcribe.model, "a float or int8 model folder")->required();
  transcriber->add_option("AUDIO", transcribe.audio, "audio files")->required();
  transcriber->add_flag("--json", transcribe.json, "a JSON object a line, with path and text");
  transcriber->add_option("--device", transcribe.device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? cli::kDone : cli::kBadUsage;
  }
  if (nodes->parsed()) return cli::nodes(type);
  if (validator->parsed()) return cli::validate(looked_at);
  if (drawer->parsed()) return cli::dot(looked_at);
  if (transcriber->parsed()) return cli::transcribe(transcribe);
  if (run.graph.empty()) {
    throw graph::GraphError(
        "nothing to do: give --graph FILE or a command; flowqat --help lists them");
  }
  return cli::run(run);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const graph::GraphError& error) {
    std::cerr << "flowqat: " << error.what() << "\n";
    return cli::kBadUsage;
  } catch (const graph::Interrupted& interrupted) {
    std::cerr << "flowqat: interrupted\n";
    return 128 + interrupted.signal_number;
  } catch (const std::exception& error) {
    std::cerr << "flowqat: " << error.what() << "\n";
    return cli::kFailed;
  }
}

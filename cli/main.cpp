#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/commands.h"
#include "cli/fetch_options.h"
#include "cli/inspect_options.h"
#include "cli/quantization_options.h"
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

  const auto add_graph_command = [&](const char* name, const char* doc,
                                     cli::GraphArguments& arguments) {
    CLI::App* command = app.add_subcommand(name, doc);
    command->add_option("--graph", arguments.graph, "the graph file")
        ->option_text("FILE")
        ->required();
    command->add_option("--set", arguments.overrides, "override a value of the graph")
        ->option_text("NODE.KEY=VALUE")
        ->expected(1)
        ->take_all();
    return command;
  };
  cli::GraphArguments looked_at;
  const CLI::App* validator =
      add_graph_command("validate", "checks a graph, and all that its nodes are given", looked_at);
  const CLI::App* drawer = add_graph_command(
      "dot", "draws a graph, as text for Graphviz: ... | dot -Tsvg -o graph.svg", looked_at);

  cli::ProfileArguments profile;
  CLI::App* profiler = add_graph_command(
      "profile", "runs a graph's data side alone and says what holds it up", profile);
  profiler
      ->add_option("--stream", profile.stream,
                   "the batch node to profile, where there are several (default: the first)")
      ->option_text("NODE");
  profiler
      ->add_option("--seconds", profile.seconds,
                   "measure at least this long, in whole epochs (default: 10)")
      ->option_text("S")
      ->check(CLI::Range(0.0, 1e6));
  profiler
      ->add_option("--trainer", profile.trainer_x_realtime,
                   "the speed of a trainer, x real time: says how many cores feed it")
      ->option_text("X")
      ->check(CLI::PositiveNumber);
  profiler->add_flag("--isolate", profile.isolate,
                     "measure each node alone as well, on 1, 2, 4 ... threads");
  profiler
      ->add_option("--trace", profile.trace,
                   "write every piece of work, for chrome://tracing and ui.perfetto.dev")
      ->option_text("FILE");
  profiler->add_option("--html", profile.html, "write a page with the occupancy over time")
      ->option_text("FILE");
  profiler->add_flag("--json", profile.json, "print one JSON object on one line instead");

  cli::TranscribeArguments transcribe;
  CLI::App* transcriber = app.add_subcommand("transcribe", "prints what is said in audio files");
  transcriber->add_option("MODEL", transcribe.model, "a float, fake-quantized or int8 model folder")
      ->required();
  transcriber
      ->add_option("AUDIO", transcribe.audio,
                   "audio files in any format that FFmpeg reads; -: one from standard input")
      ->required();
  transcriber->add_flag("--json", transcribe.json,
                        "a JSON object a line: path, text, duration_s, and words with their times");
  transcriber
      ->add_option("--logits", transcribe.logits,
                   "write each file's frame scores into this folder, as NumPy's .npy")
      ->option_text("DIR");
  transcriber
      ->add_option("--window-s", transcribe.window_s,
                   "longer recordings are heard in overlapping windows of this length; 0: whole "
                   "(default: 40)")
      ->option_text("S")
      ->check(CLI::Range(0.0, 3600.0));
  transcriber
      ->add_option("--overlap-s", transcribe.overlap_s, "what two windows share (default: 4)")
      ->option_text("S")
      ->check(CLI::Range(0.0, 3600.0));
  transcriber->add_option("--device", transcribe.device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  transcriber
      ->add_option("--kernels", transcribe.kernels,
                   "of an int8 model: fastest (default) or exact, each layer on its own engine")
      ->check(CLI::IsMember({"fastest", "exact"}));

  cli::EvaluateArguments evaluate;
  CLI::App* evaluator = app.add_subcommand(
      "evaluate", "word and character error rates of a model on transcribed speech");
  evaluator->add_option("MODEL", evaluate.model, "a float, fake-quantized or int8 model folder")
      ->required();
  evaluator
      ->add_option("--manifest", evaluate.manifest,
                   "a manifest, a folder in LibriSpeech's layout, or tar shards")
      ->option_text("FILE|DIR")
      ->required();
  evaluator
      ->add_option("--split", evaluate.splits,
                   "of such a folder; may be repeated (default: all of them)")
      ->option_text("NAME")
      ->expected(1)
      ->take_all();
  evaluator
      ->add_option("--batch", evaluate.batch,
                   "utterances of like length at a time; padding changes what a model hears "
                   "(default: 1, without padding)")
      ->option_text("N")
      ->check(CLI::Range(1, 65536));
  evaluator->add_flag("--json", evaluate.json, "print one JSON object on one line instead");
  evaluator
      ->add_option("--out", evaluate.out,
                   "write a JSON object an utterance: what was said, heard and wrong")
      ->option_text("FILE");
  evaluator
      ->add_option("--text-normalization", evaluate.text_normalization,
                   "of the transcripts: to the model's vocabulary, or none (default: vocabulary)")
      ->option_text("HOW")
      ->check(CLI::IsMember({"vocabulary", "none"}));
  evaluator->add_option("--device", evaluate.device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  evaluator
      ->add_option("--kernels", evaluate.kernels,
                   "of an int8 model: fastest (default) or exact, each layer on its own engine")
      ->check(CLI::IsMember({"fastest", "exact"}));

  cli::InspectArguments inspect;
  const CLI::App* inspector = cli::add_inspect(app, inspect);
  cli::QuantizeArguments quantize;
  const CLI::App* quantizer = cli::add_quantize(app, quantize);
  cli::SensitivityArguments sensitivity;
  const CLI::App* analyser = cli::add_sensitivity(app, sensitivity);

  cli::ExportArguments exported;
  CLI::App* exporter = app.add_subcommand(
      "export", "writes a model as an ONNX file, and its processor's files beside it");
  exporter->add_option("MODEL", exported.model, "a float or int8 model folder")->required();
  exporter->add_option("--onnx", exported.onnx, "the file to write")
      ->option_text("FILE")
      ->required();
  exporter->add_flag("--overwrite", exported.overwrite, "replace the files that are there");

  cli::FetchLibriSpeechArguments librispeech;
  cli::FetchModelArguments hub_model;
  const cli::FetchCommands fetchers = cli::add_fetch(app, librispeech, hub_model);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? cli::kDone : cli::kBadUsage;
  }
  if (nodes->parsed()) return cli::nodes(type);
  if (validator->parsed()) return cli::validate(looked_at);
  if (drawer->parsed()) return cli::dot(looked_at);
  if (profiler->parsed()) return cli::profile(profile);
  if (transcriber->parsed()) return cli::transcribe(transcribe);
  if (evaluator->parsed()) return cli::evaluate(evaluate);
  if (inspector->parsed()) return cli::inspect(inspect);
  if (quantizer->parsed()) return cli::quantize(quantize);
  if (analyser->parsed()) return cli::sensitivity(sensitivity);
  if (exporter->parsed()) return cli::export_model(exported);
  if (fetchers.librispeech->parsed()) return cli::fetch_librispeech(librispeech);
  if (fetchers.model->parsed()) return cli::fetch_model(hub_model);
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

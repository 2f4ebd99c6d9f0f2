/// A built-in graph: a corpus, unpadded unless asked for, through decode, resample and normalize;
/// then greedy decoding, and what was heard against what was said.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>

#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/evaluation.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/graph.h"
#include "graph/json_lines.h"
#include "graph/pipeline.h"
#include "nodes/model_batch.h"
#include "nodes/model_folder.h"
#include "nodes/recognize.h"

namespace flowqat::cli {
namespace {

using graph::format;

graph::Json corpus_node(const EvaluateArguments& arguments) {
  if (!std::filesystem::is_directory(arguments.manifest)) {
    if (!arguments.splits.empty()) {
      throw graph::GraphError("--split: only a folder in LibriSpeech's layout has splits, and " +
                              arguments.manifest + " is no folder");
    }
    return {{"type", "manifest"}, {"path", arguments.manifest}};
  }
  return {{"type", "librispeech"}, {"root", arguments.manifest}, {"splits", arguments.splits}};
}

graph::Json audio_graph(const EvaluateArguments& arguments, const io::FeatureExtractor& extractor) {
  graph::Json nodes{
      {"corpus", corpus_node(arguments)},
      {"decode", {{"type", "decode"}, {"from", "corpus"}}},
      {"resample", {{"type", "resample"}, {"from", "decode"}, {"rate_hz", extractor.rate_hz}}}};
  if (extractor.do_normalize) nodes["normalize"] = {{"type", "normalize"}, {"from", "resample"}};
  nodes["batch"] = {{"type", "batch"},
                    {"from", extractor.do_normalize ? "normalize" : "resample"},
                    {"size", arguments.batch},
                    {"length_jitter", 0},
                    {"order", arguments.batch > 1 ? "length" : "corpus"}};
  return {{"nodes", nodes}};
}

class Evaluator {
 public:
  Evaluator(const EvaluateArguments& arguments, Terminal& terminal)
      : terminal_(terminal), stop_signal_(catch_stop_signals()) {
    if (!arguments.out.empty()) listing_.emplace(arguments.out);
  }

  Evaluation run(graph::Pipeline& pipeline, const nodes::ModelState& model) {
    Evaluation evaluation;
    const auto stream = pipeline.open("evaluate", 0);
    while (const auto batch = stream->next()) {
      if (stop_signal_ != 0) throw graph::Interrupted(stop_signal_);
      add(*batch, model, evaluation);
      terminal_.progress(format(
          "%lld of %zu utterances, WER %.2f %%", static_cast<long long>(evaluation.all.utterances),
          pipeline.selection().presentations.size(), 100 * evaluation.all.words.rate()));
    }
    return evaluation;
  }

 private:
  void add(const graph::Batch& batch, const nodes::ModelState& model, Evaluation& evaluation) {
    using Clock = std::chrono::steady_clock;
    const nodes::ModelBatch prepared =
        nodes::to_model_batch(batch, *model.tokenizer, model.model->config());
    const auto started = Clock::now();
    const auto texts = nodes::recognize(*model.model, *model.tokenizer, prepared.audio);
    evaluation.infer_s += std::chrono::duration<double>(Clock::now() - started).count();
    for (size_t row = 0; row < texts.size(); ++row) {
      add(*prepared.rows[row]->entry, texts[row], evaluation);
    }
    for (const graph::Row* row : prepared.too_short) add(*row->entry, "", evaluation);
    for (const graph::Row& row : batch.rows) {
      if (!row.rejected) continue;
      ++evaluation.rejected;
      terminal_.say("flowqat: left out: " + row.rejected->reason);
    }
  }

  void add(const graph::IndexEntry& entry, const std::string& text, Evaluation& evaluation) {
    const nodes::Score score = nodes::score(entry.transcript, text);
    evaluation.add(entry, score);
    if (listing_) listing_->add(nodes::listing(entry, text, score));
  }

  Terminal& terminal_;
  const std::atomic<int>& stop_signal_;
  std::optional<graph::JsonLines> listing_;
};

}  // namespace

int evaluate(const EvaluateArguments& arguments) {
  quiet_openmp();
  nodes::ModelDescription description = nodes::read_description(arguments.model);
  const graph::Graph graph(
      graph::resolve(audio_graph(arguments, description.extractor), "evaluate"));
  Terminal terminal;
  Evaluator evaluator(arguments, terminal);
  graph::DataThreads threads(0);
  graph::Ledger ledger;
  graph::Pipeline pipeline(*graph.batchers().front(), {}, threads, ledger);
  model::engine().configure({.device = arguments.device});
  const nodes::ModelState model = nodes::load_model(
      arguments.model, description, {.kernels = nodes::kernels_of(arguments.kernels)});
  for (const std::string& note : description.notes) terminal.say("flowqat: " + note);
  const Evaluation evaluation = evaluator.run(pipeline, model);
  if (evaluation.all.words.references() == 0) {
    throw graph::RunError(arguments.manifest + ": holds no transcript to compare with" +
                          (evaluation.rejected > 0 ? ", or no audio that can be read" : ""));
  }
  if (arguments.json) {
    graph::Json json = as_json(evaluation);
    json["model"] = arguments.model;
    json["manifest"] = arguments.manifest;
    json["device"] = model::engine().device();
    terminal.result(json.dump(-1, ' ', false, graph::Json::error_handler_t::replace) + "\n");
  } else {
    terminal.result(as_text(evaluation));
  }
  if (!arguments.out.empty()) terminal.say("written to " + arguments.out);
  return kDone;
}

}  // namespace flowqat::cli

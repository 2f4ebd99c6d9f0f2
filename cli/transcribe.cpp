/// A built-in graph: the files one by one, unpadded, through decode, resample and normalize; then
/// greedy decoding.
#include <iostream>

#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/signals.h"
#include "graph/error.h"
#include "graph/graph.h"
#include "graph/pipeline.h"
#include "nodes/model_batch.h"
#include "nodes/model_folder.h"
#include "nodes/recognize.h"

namespace flowqat::cli {
namespace {

graph::Json audio_graph(const std::vector<std::string>& paths,
                        const io::FeatureExtractor& extractor) {
  graph::Json nodes{
      {"files", {{"type", "files"}, {"paths", paths}}},
      {"decode", {{"type", "decode"}, {"from", "files"}}},
      {"resample", {{"type", "resample"}, {"from", "decode"}, {"rate_hz", extractor.rate_hz}}}};
  if (extractor.do_normalize) nodes["normalize"] = {{"type", "normalize"}, {"from", "resample"}};
  nodes["batch"] = {{"type", "batch"},
                    {"from", extractor.do_normalize ? "normalize" : "resample"},
                    {"size", 1},
                    {"order", "corpus"}};
  return {{"nodes", nodes}};
}

void print(const std::string& path, const std::string& text, bool as_json) {
  if (as_json) {
    std::cout << graph::Json{{"path", path}, {"text", text}}.dump(
                     -1, ' ', false, graph::Json::error_handler_t::replace)
              << std::endl;
  } else {
    std::cout << text << std::endl;
  }
}

}  // namespace

int transcribe(const TranscribeArguments& arguments) {
  quiet_openmp();
  const std::atomic<int>& stop_signal = catch_stop_signals();
  const nodes::ModelDescription description = nodes::read_description(arguments.model);
  const graph::Graph graph(
      graph::resolve(audio_graph(arguments.audio, description.extractor), "transcribe"));
  graph::DataThreads threads(0);
  graph::Ledger ledger;
  graph::Pipeline pipeline(*graph.batchers().front(), {}, threads, ledger);

  model::engine().configure({.device = arguments.device});
  const nodes::ModelState model = nodes::load_model(arguments.model);
  const auto stream = pipeline.open("transcribe", 0);
  while (const auto batch = stream->next()) {
    if (stop_signal != 0) throw graph::Interrupted(stop_signal);
    const graph::Row& row = batch->rows.front();
    if (row.rejected) {
      std::cerr << "flowqat: " << row.rejected->reason << "\n";
      continue;
    }
    const nodes::ModelBatch prepared =
        nodes::to_model_batch(*batch, *model.tokenizer, description.config);
    const auto texts = nodes::recognize(*model.model, *model.tokenizer, prepared.audio);
    print(row.entry->path, texts.empty() ? "" : texts.front(), arguments.json);
  }
  return ledger.rejected() == 0 ? kDone : kFailed;
}

}  // namespace flowqat::cli

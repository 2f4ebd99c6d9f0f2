/// A corpus by its index: how much of what there is, and what will trouble training.
#include <filesystem>

#include "cli/audio_graph.h"
#include "cli/commands.h"
#include "cli/inspection.h"
#include "cli/inspection_html.h"
#include "cli/terminal.h"
#include "cli/text_file.h"
#include "graph/plan.h"
#include "nodes/support/model_folder.h"

namespace flowqat::cli {
namespace {

namespace fs = std::filesystem;

/// Whether anything below `folder` is a transcript in LibriSpeech's layout.
bool has_transcripts(const fs::path& folder) {
  const auto all =
      fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied);
  for (const fs::directory_entry& entry : all) {
    if (entry.path().string().ends_with(".trans.txt")) return true;
  }
  return false;
}

graph::Index read_index(const InspectArguments& arguments) {
  graph::Json node =
      corpus_node({.command = "inspect", .manifest = arguments.corpus, .splits = arguments.splits});
  if (node.at("type") == "librispeech" && arguments.splits.empty() &&
      !has_transcripts(arguments.corpus)) {
    node = {{"type", "folder"}, {"root", arguments.corpus}};
  }
  // What follows the corpus is never run.
  const graph::Graph graph(
      graph::resolve({{"nodes",
                       {{"corpus", node},
                        {"decode", {{"type", "decode"}, {"from", "corpus"}}},
                        {"batch", {{"type", "batch"}, {"from", "decode"}, {"size", 1}}}}}},
                     "inspect"));
  return graph::Chain::behind(*graph.batchers().front()).source->read_index(0);
}

}  // namespace

int inspect(const InspectArguments& arguments) {
  nodes::ModelDescription model;
  if (arguments.model.empty()) {
    model.tokenizer = std::make_shared<io::Tokenizer>(io::Tokenizer::base_960h());
  } else {
    model = nodes::read_description(arguments.model);
  }
  require_writable(arguments.html);
  const Listener listener{
      .config = model.config,
      .rate_hz = model.extractor.rate_hz,
      .tokenizer = *model.tokenizer,
      .text_normalization = io::parse_text_normalization(arguments.text_normalization),
      .max_duration_s = arguments.max_duration_s};
  const Inspection found = inspect(read_index(arguments), listener);

  Terminal terminal;
  for (const std::string& note : model.notes) terminal.say("flowqat: " + note);
  if (!arguments.html.empty()) {
    write_text(arguments.html, inspection_page(found, listener, arguments.corpus));
    terminal.say("written to " + arguments.html);
  }
  if (arguments.json) {
    graph::Json json{{"corpus", arguments.corpus}, {"model", arguments.model}};
    json.update(as_json(found, listener));
    terminal.result(json.dump(-1, ' ', false, graph::Json::error_handler_t::replace) + "\n");
  } else {
    terminal.result(as_text(found, listener));
  }
  if (found.all.utterances == 0) {
    throw graph::RunError(arguments.corpus + ": holds no audio that can be read");
  }
  return kDone;
}

}  // namespace flowqat::cli

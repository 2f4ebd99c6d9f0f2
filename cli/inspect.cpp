/// A corpus by its index: how much of what there is, and what will trouble training.
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/audio_graph.h"
#include "cli/commands.h"
#include "cli/given_model.h"
#include "cli/index_progress.h"
#include "cli/inspection.h"
#include "cli/inspection_html.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "graph/json_lines.h"
#include "nodes/support/model_folder.h"

namespace flowqat::cli {
namespace {

struct InspectArguments {
  std::string corpus;
  std::vector<std::string> splits;  ///< of a folder in LibriSpeech's layout; empty: all
  std::string model;                ///< a folder, or empty: base-960h's vocabulary and frames
  std::string text_normalization = "vocabulary";  ///< or "none"
  bool drop_tags = false;
  double max_duration_s = 30;  ///< 0: nothing is too long
  bool json = false;
  std::string html;  ///< a file to write, or empty
  bool overwrite = false;
};

int inspect(const InspectArguments& arguments) {
  Terminal terminal;
  nodes::ModelDescription model;
  if (arguments.model.empty()) {
    model.tokenizer = std::make_shared<io::Tokenizer>(io::Tokenizer::base_960h());
  } else {
    model = nodes::read_description(folder_of_model(arguments.model, terminal));
  }
  OutputFile html(arguments.html, arguments.overwrite);
  const Listener listener{.config = model.config,
                          .rate_hz = model.extractor.rate_hz,
                          .tokenizer = *model.tokenizer,
                          .text_rules = {io::parse_text_normalization(arguments.text_normalization),
                                         arguments.drop_tags},
                          .max_duration_s = arguments.max_duration_s};
  const Inspection found =
      inspect(CorpusListing(
                  {.command = "inspect", .manifest = arguments.corpus, .splits = arguments.splits})
                  .read(index_progress(terminal)),
              listener);

  for (const std::string& note : model.notes) terminal.say("flowqat: " + note);
  if (html) {
    html.write(inspection_page(found, listener, arguments.corpus));
    terminal.say("written to " + arguments.html);
  }
  if (arguments.json) {
    graph::Json json{{"corpus", arguments.corpus}, {"model", arguments.model}};
    json.update(as_json(found, listener));
    terminal.result(graph::json_line(json));
  } else {
    terminal.result(as_text(found, listener));
  }
  if (found.all.utterances == 0) {
    throw graph::RunError(arguments.corpus + ": holds no audio that can be read");
  }
  return kDone;
}

}  // namespace

Command inspect_command() {
  const auto told = std::make_shared<InspectArguments>();
  return {.name = "inspect",
          .doc = "what a corpus holds, and what in it will trouble training; reads no audio",
          .examples = {"flowqat inspect data/demo",
                       "flowqat inspect corpus.jsonl --model models/mine --html corpus.html"},
          .arguments = {{.name = "CORPUS",
                         .value = "FILE|DIR",
                         .doc = "a manifest or table, a folder in LibriSpeech's layout or of audio "
                                "with texts beside it, or tar shards",
                         .target = &told->corpus,
                         .required = true,
                         .option = "--manifest"},
                        split_option(told->splits),
                        {.name = "--model",
                         .value = "MODEL",
                         .doc = "the model (its folder, or its id on the Hub) whose vocabulary and "
                                "frames the corpus is held against",
                         .target = &told->model,
                         .fallback = "those of wav2vec2-base-960h"},
                        text_normalization_option(told->text_normalization),
                        drop_tags_option(told->drop_tags),
                        {.name = "--max-duration-s",
                         .value = "S",
                         .doc = "what is longer is named as too long; 0: nothing is",
                         .target = &told->max_duration_s,
                         .minimum = 0,
                         .maximum = 1e6},
                        json_option(told->json),
                        output_option(told->html, "--html", "write a page with pictures"),
                        overwrite_option(told->overwrite)},
          .run = [told] { return inspect(*told); }};
}

}  // namespace flowqat::cli

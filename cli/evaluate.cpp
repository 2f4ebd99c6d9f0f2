/// A corpus, unpadded unless asked for; greedy decoding, and what was heard against what was said.
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/comparison.h"
#include "cli/environment.h"
#include "cli/evaluator.h"
#include "cli/given_model.h"
#include "cli/index_progress.h"
#include "cli/output_file.h"
#include "graph/error.h"
#include "graph/json_lines.h"
#include "graph/usable_cores.h"
#include "nodes/support/model_folder.h"
#include "nodes/support/transcripts.h"

namespace flowqat::cli {
namespace {

struct EvaluateArguments {
  std::string model;
  std::string against;              ///< another, or empty
  std::string manifest;             ///< a manifest, or a folder in LibriSpeech's layout
  std::vector<std::string> splits;  ///< of such a folder; empty: all
  int64_t batch = 1;                ///< utterances padded to one length
  int64_t limit = 0;                ///< utterances at the most, in whole batches; 0: all
  uint64_t seed = 1;                ///< of their choice
  bool json = false;
  std::string out;  ///< a file for what was heard in each utterance, or empty
  bool overwrite = false;
  std::string text_normalization = "vocabulary";  ///< of the transcripts, or "none"
  int64_t channel = -1;                           ///< that is heard; -1: the average of all
  bool drop_tags = false;
  std::string device = "auto";
  std::string kernels = "fastest";  ///< of an int8 model
};

/// What a model made of the corpus.
struct Hearing {
  Evaluation evaluation;
  nodes::TranscriptCounts transcripts;
  std::string device;
};

/// `what`: as progress calls it.
Hearing hear(const EvaluateArguments& arguments, const std::filesystem::path& folder,
             const std::string& what, const HeardUtterance& tell, Terminal& terminal) {
  nodes::ModelDescription description = nodes::read_description(folder);
  CorpusAudio audio({.command = "evaluate",
                     .manifest = arguments.manifest,
                     .splits = arguments.splits,
                     .batch = arguments.batch,
                     .shuffled = arguments.limit > 0,
                     .seed = arguments.seed,
                     .channel = arguments.channel},
                    description.extractor, index_progress(terminal));
  const io::TextNormalizer normalize(
      *description.tokenizer,
      {io::parse_text_normalization(arguments.text_normalization), arguments.drop_tags});
  const nodes::TranscriptCounts transcripts = audio.transcripts(normalize);
  Evaluator evaluator(what, arguments.limit, normalize, terminal, tell);
  const nodes::Recognition model = nodes::load_recognition(
      folder, description,
      {.device = arguments.device, .kernels = arguments.kernels, .threads = graph::usable_cores()});
  for (const std::string& note : description.notes) terminal.say("flowqat: " + note);
  for (const std::string& line :
       {nodes::without_text_line(transcripts), nodes::tags_line(transcripts, "--drop-tags"),
        nodes::unknown_characters_line(transcripts)}) {
    if (!line.empty()) terminal.say("flowqat: " + line);
  }
  Hearing hearing{.evaluation = evaluator.run(audio, model),
                  .transcripts = transcripts,
                  .device = model.device};
  if (hearing.evaluation.all.words.references() == 0) {
    throw graph::RunError(
        arguments.manifest + ": holds no transcript to compare with" +
        (hearing.evaluation.rejected > 0 ? ", or no audio that can be read" : ""));
  }
  return hearing;
}

void evaluate_model(const EvaluateArguments& arguments, OutputFile& out, Terminal& terminal) {
  if (is_file_of_hypotheses(arguments.model)) {
    throw graph::GraphError(arguments.model +
                            ": is a file; a file of what was heard is compared with another model "
                            "or such a file, by --against");
  }
  std::optional<graph::JsonLines> listing;
  if (out) listing.emplace(out.partial());
  const Hearing hearing = hear(
      arguments, folder_of_model(arguments.model, terminal), "evaluate",
      [&](const graph::IndexEntry& entry, const std::string& reference, const std::string& text,
          const nodes::Score& score) {
        if (listing) listing->add(nodes::listing(entry, reference, text, score));
      },
      terminal);
  if (out) out.keep();
  if (!arguments.json) return terminal.result(as_text(hearing.evaluation));
  graph::Json json = as_json(hearing.evaluation);
  json["model"] = arguments.model;
  json["manifest"] = arguments.manifest;
  json["transcripts"] = nodes::to_json(hearing.transcripts);
  json["device"] = hearing.device;
  terminal.result(graph::json_line(json));
}

/// What each of two models, or files of hypotheses, heard.
void evaluate_against(const EvaluateArguments& arguments, OutputFile& out, Terminal& terminal) {
  struct Side {
    std::string given, what;
    std::filesystem::path folder = {};  ///< empty: a file
    std::vector<Heard> heard = {};
  };
  Side sides[]{{arguments.model, "evaluate"}, {arguments.against, "against"}};
  for (Side& side : sides) {  // whatever can be refused at once
    if (is_file_of_hypotheses(side.given)) {
      side.heard = read_hypotheses(side.given);
    } else {
      side.folder = folder_of_model(side.given, terminal);
    }
  }
  for (Side& side : sides) {
    if (side.folder.empty()) continue;
    hear(
        arguments, side.folder, side.what,
        [&side](const graph::IndexEntry& entry, const std::string& reference,
                const std::string& text, const nodes::Score&) {
          side.heard.push_back({entry.id, entry.speaker, entry.shape.seconds(), reference, text});
        },
        terminal);
  }
  const Comparison comparison = compare(std::move(sides[0].heard), std::move(sides[1].heard),
                                        arguments.seed, arguments.model, arguments.against);
  if (out) {
    {
      graph::JsonLines changed(out.partial());
      for (const Changed& utterance : comparison.changed) changed.add(as_json(utterance));
    }
    out.keep();
  }
  if (!arguments.json) return terminal.result(as_text(comparison));
  graph::Json json = as_json(comparison);
  json["manifest"] = arguments.manifest;
  terminal.result(graph::json_line(json));
}

/// Files of hypotheses need no corpus, all else does.
void check_manifest(const EvaluateArguments& arguments) {
  const bool needs_corpus = arguments.against.empty() || !is_file_of_hypotheses(arguments.model) ||
                            !is_file_of_hypotheses(arguments.against);
  if (needs_corpus && arguments.manifest.empty()) {
    throw graph::GraphError(
        "evaluate: --manifest is missing: the corpus that is heard (flowqat evaluate --help)");
  }
  if (!needs_corpus && !arguments.manifest.empty()) {
    throw graph::GraphError(
        "evaluate: --manifest: both are files of what was heard, so there is nothing to hear");
  }
}

int evaluate(const EvaluateArguments& arguments) {
  quiet_openmp();
  Terminal terminal;
  check_manifest(arguments);
  OutputFile out(arguments.out, arguments.overwrite);
  if (arguments.against.empty()) {
    evaluate_model(arguments, out, terminal);
  } else {
    evaluate_against(arguments, out, terminal);
  }
  if (!arguments.out.empty()) terminal.say("written to " + arguments.out);
  return kDone;
}

Argument against_option(std::string& against) {
  return {.name = "--against",
          .value = "MODEL|FILE",
          .doc =
              "another model or file of what was heard: the differences of the rates, how certain "
              "they are, and the utterances that changed; two files of what was heard need no "
              "--manifest",
          .target = &against};
}

}  // namespace

Command evaluate_command() {
  const auto told = std::make_shared<EvaluateArguments>();
  Argument model = model_argument(told->model, "a float, fake-quantized or int8");
  model.doc += "; with --against also a file of what was heard (--out)";
  Argument manifest = manifest_option(told->manifest);
  manifest.required = false;
  return {.name = "evaluate",
          .doc =
              "word and character error rates of a model on transcribed speech, also against "
              "another's",
          .examples =
              {"flowqat evaluate facebook/wav2vec2-base-960h --manifest data/LibriSpeech "
               "--split test-clean",
               "flowqat evaluate models/mine --manifest test.jsonl --out heard.jsonl",
               "flowqat evaluate runs/mine/int8 --against runs/mine/model --manifest test.jsonl",
               "flowqat evaluate runs/mine/wer-int8.jsonl --against runs/mine/wer-float.jsonl"},
          .arguments = {model, against_option(told->against), manifest, split_option(told->splits),
                        channel_option(told->channel), limit_option(told->limit),
                        seed_option(told->seed), batch_option(told->batch), json_option(told->json),
                        output_option(told->out, "--out",
                                      "write a JSON object an utterance: what was said, heard and "
                                      "wrong; with --against, of those that changed"),
                        overwrite_option(told->overwrite),
                        text_normalization_option(told->text_normalization),
                        drop_tags_option(told->drop_tags), device_option(told->device),
                        kernels_option(told->kernels)},
          .run = [told] { return evaluate(*told); }};
}

}  // namespace flowqat::cli

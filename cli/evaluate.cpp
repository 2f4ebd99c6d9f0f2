/// A corpus, unpadded unless asked for; greedy decoding, and what was heard against what was said.
#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/arguments.h"
#include "cli/audio_graph.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/evaluation.h"
#include "cli/given_model.h"
#include "cli/index_progress.h"
#include "cli/output_file.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/json_lines.h"
#include "graph/rejections.h"
#include "graph/time_left.h"
#include "graph/usable_cores.h"
#include "nodes/support/inference.h"
#include "nodes/support/model_batch.h"
#include "nodes/support/model_folder.h"
#include "nodes/support/transcripts.h"
#include "recognizer/decoding.h"

namespace flowqat::cli {
namespace {

using graph::format;

struct EvaluateArguments {
  std::string model;
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

class Evaluator {
 public:
  Evaluator(const OutputFile& out, int64_t limit, const io::TextNormalizer& normalize,
            Terminal& terminal)
      : normalize_(normalize),
        terminal_(terminal),
        stop_signal_(catch_stop_signals()),
        rejections_([&terminal](const std::string& line) { terminal.say("flowqat: " + line); }),
        limit_(limit) {
    if (out) listing_.emplace(out.partial());
  }

  Evaluation run(CorpusAudio& audio, const nodes::Recognition& model) {
    Evaluation evaluation;
    const auto stream = audio.open();
    const graph::Extent extent = stream->extent();
    const int64_t total = limit_ > 0 ? std::min(extent.utterances, limit_) : extent.utterances;
    const graph::TimeLeft time;
    double padded_s = 0;
    for (int64_t heard = 0; limit_ == 0 || heard < limit_;) {
      const auto batch = stream->next();
      if (!batch) break;
      heard += std::ssize(batch->rows);
      if (stop_signal_ != 0) throw graph::Interrupted(stop_signal_);
      add(*batch, model, evaluation);
      padded_s += batch->padded_s();
      // Those that are drawn for a limit are of any length.
      const double share = limit_ > 0 ? static_cast<double>(heard) / static_cast<double>(total)
                                      : padded_s / extent.padded_s;
      graph::Progress progress{.what = "evaluate",
                               .done = heard,
                               .total = total,
                               .unit = "utterances",
                               .more = {format("WER %.2f %%", 100 * evaluation.all.words.rate())},
                               .left_s = time.left_s(share)};
      if (evaluation.rejected > 0) {
        progress.more.push_back(
            format("%lld rejected", static_cast<long long>(evaluation.rejected)));
      }
      terminal_.progress(progress);
    }
    evaluation.rejected_by_reason = rejections_.by_reason();
    return evaluation;
  }

 private:
  void add(const graph::Batch& batch, const nodes::Recognition& model, Evaluation& evaluation) {
    using Clock = std::chrono::steady_clock;
    const nodes::ModelBatch prepared =
        nodes::to_model_batch(batch, *model.tokenizer, model.model->config());
    const auto started = Clock::now();
    const auto texts = recognizer::recognize(*model.model, *model.tokenizer, prepared.audio);
    evaluation.infer_s += std::chrono::duration<double>(Clock::now() - started).count();
    for (size_t row = 0; row < texts.size(); ++row) {
      add(*prepared.rows[row]->entry, texts[row], evaluation);
    }
    for (const graph::Row* row : prepared.too_short) add(*row->entry, "", evaluation);
    for (const graph::Row& row : batch.rows) {
      evaluation.rejected += row.rejected ? 1 : 0;
      rejections_.add(row);
    }
  }

  void add(const graph::IndexEntry& entry, const std::string& text, Evaluation& evaluation) {
    const std::string reference = normalize_(entry.transcript);
    const nodes::Score score = nodes::score(reference, text);
    evaluation.add(entry, score);
    if (listing_) listing_->add(nodes::listing(entry, reference, text, score));
  }

  const io::TextNormalizer& normalize_;
  Terminal& terminal_;
  const std::atomic<int>& stop_signal_;
  graph::Rejections rejections_;
  int64_t limit_;  ///< 0: none
  std::optional<graph::JsonLines> listing_;
};

int evaluate(const EvaluateArguments& arguments) {
  quiet_openmp();
  Terminal terminal;
  OutputFile out(arguments.out, arguments.overwrite);
  const std::filesystem::path folder = folder_of_model(arguments.model, terminal);
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
  Evaluator evaluator(out, arguments.limit, normalize, terminal);
  const nodes::Recognition model = nodes::load_recognition(
      folder, description,
      {.device = arguments.device, .kernels = arguments.kernels, .threads = graph::usable_cores()});
  for (const std::string& note : description.notes) terminal.say("flowqat: " + note);
  for (const std::string& line :
       {nodes::without_text_line(transcripts), nodes::tags_line(transcripts, "--drop-tags"),
        nodes::unknown_characters_line(transcripts)}) {
    if (!line.empty()) terminal.say("flowqat: " + line);
  }
  const Evaluation evaluation = evaluator.run(audio, model);
  if (evaluation.all.words.references() == 0) {
    throw graph::RunError(arguments.manifest + ": holds no transcript to compare with" +
                          (evaluation.rejected > 0 ? ", or no audio that can be read" : ""));
  }
  if (out) out.keep();
  if (arguments.json) {
    graph::Json json = as_json(evaluation);
    json["model"] = arguments.model;
    json["manifest"] = arguments.manifest;
    json["transcripts"] = nodes::to_json(transcripts);
    json["device"] = model.device;
    terminal.result(graph::json_line(json));
  } else {
    terminal.result(as_text(evaluation));
  }
  if (!arguments.out.empty()) terminal.say("written to " + arguments.out);
  return kDone;
}

}  // namespace

Command evaluate_command() {
  const auto told = std::make_shared<EvaluateArguments>();
  return {.name = "evaluate",
          .doc = "word and character error rates of a model on transcribed speech",
          .examples = {"flowqat evaluate facebook/wav2vec2-base-960h --manifest data/LibriSpeech "
                       "--split test-clean",
                       "flowqat evaluate models/mine --manifest test.jsonl --out heard.jsonl"},
          .arguments = {model_argument(told->model, "a float, fake-quantized or int8"),
                        manifest_option(told->manifest), split_option(told->splits),
                        channel_option(told->channel), limit_option(told->limit),
                        seed_option(told->seed), batch_option(told->batch), json_option(told->json),
                        output_option(told->out, "--out",
                                      "write a JSON object an utterance: what was said, heard and "
                                      "wrong"),
                        overwrite_option(told->overwrite),
                        text_normalization_option(told->text_normalization),
                        drop_tags_option(told->drop_tags), device_option(told->device),
                        kernels_option(told->kernels)},
          .run = [told] { return evaluate(*told); }};
}

}  // namespace flowqat::cli

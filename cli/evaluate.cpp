/// A corpus, unpadded unless asked for; greedy decoding, and what was heard against what was said.
#include <chrono>
#include <optional>

#include "cli/audio_graph.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/evaluation.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/json_lines.h"
#include "nodes/support/model_batch.h"
#include "nodes/support/model_folder.h"
#include "nodes/support/recognize.h"
#include "nodes/support/transcripts.h"

namespace flowqat::cli {
namespace {

using graph::format;

class Evaluator {
 public:
  Evaluator(const EvaluateArguments& arguments, const io::TextNormalizer& normalize,
            Terminal& terminal)
      : normalize_(normalize), terminal_(terminal), stop_signal_(catch_stop_signals()) {
    if (!arguments.out.empty()) listing_.emplace(arguments.out);
  }

  Evaluation run(CorpusAudio& audio, const nodes::ModelState& model) {
    Evaluation evaluation;
    const auto stream = audio.open();
    while (const auto batch = stream->next()) {
      if (stop_signal_ != 0) throw graph::Interrupted(stop_signal_);
      add(*batch, model, evaluation);
      terminal_.progress(format("%lld of %zu utterances, WER %.2f %%",
                                static_cast<long long>(evaluation.all.utterances),
                                audio.utterances(), 100 * evaluation.all.words.rate()));
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
    const std::string reference = normalize_(entry.transcript);
    const nodes::Score score = nodes::score(reference, text);
    evaluation.add(entry, score);
    if (listing_) listing_->add(nodes::listing(entry, reference, text, score));
  }

  const io::TextNormalizer& normalize_;
  Terminal& terminal_;
  const std::atomic<int>& stop_signal_;
  std::optional<graph::JsonLines> listing_;
};

}  // namespace

int evaluate(const EvaluateArguments& arguments) {
  quiet_openmp();
  nodes::ModelDescription description = nodes::read_description(arguments.model);
  CorpusAudio audio({.command = "evaluate",
                     .manifest = arguments.manifest,
                     .splits = arguments.splits,
                     .batch = arguments.batch},
                    description.extractor);
  Terminal terminal;
  const io::TextNormalizer normalize(*description.tokenizer,
                                     io::parse_text_normalization(arguments.text_normalization));
  const nodes::TranscriptCounts transcripts = nodes::count_transcripts(audio.pipeline(), normalize);
  Evaluator evaluator(arguments, normalize, terminal);
  model::engine().configure({.device = arguments.device});
  const nodes::ModelState model = nodes::load_model(
      arguments.model, description, {.kernels = nodes::kernels_of(arguments.kernels)});
  for (const std::string& note : description.notes) terminal.say("flowqat: " + note);
  if (const std::string line = nodes::unknown_characters_line(transcripts); !line.empty()) {
    terminal.say("flowqat: " + line);
  }
  const Evaluation evaluation = evaluator.run(audio, model);
  if (evaluation.all.words.references() == 0) {
    throw graph::RunError(arguments.manifest + ": holds no transcript to compare with" +
                          (evaluation.rejected > 0 ? ", or no audio that can be read" : ""));
  }
  if (arguments.json) {
    graph::Json json = as_json(evaluation);
    json["model"] = arguments.model;
    json["manifest"] = arguments.manifest;
    json["transcripts"] = nodes::to_json(transcripts);
    json["device"] = model::engine().device();
    terminal.result(json.dump(-1, ' ', false, graph::Json::error_handler_t::replace) + "\n");
  } else {
    terminal.result(as_text(evaluation));
  }
  if (!arguments.out.empty()) terminal.say("written to " + arguments.out);
  return kDone;
}

}  // namespace flowqat::cli

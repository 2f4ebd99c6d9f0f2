#include "cli/evaluator.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/signals.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/time_left.h"
#include "nodes/support/model_batch.h"
#include "recognizer/decoding.h"

namespace flowqat::cli {

using graph::format;

Evaluator::Evaluator(const std::string& what, int64_t limit, const io::TextNormalizer& normalize,
                     Terminal& terminal, HeardUtterance tell)
    : what_(what),
      limit_(limit),
      normalize_(normalize),
      terminal_(terminal),
      stop_signal_(catch_stop_signals()),
      rejections_([&terminal](const std::string& line) { terminal.say("flowqat: " + line); }),
      tell_(std::move(tell)) {}

Evaluation Evaluator::run(CorpusAudio& audio, const nodes::Recognition& model) {
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
    graph::Progress progress{.what = what_,
                             .done = heard,
                             .total = total,
                             .unit = "utterances",
                             .more = {format("WER %.2f %%", 100 * evaluation.all.words.rate())},
                             .left_s = time.left_s(share)};
    if (evaluation.rejected > 0) {
      progress.more.push_back(format("%lld rejected", static_cast<long long>(evaluation.rejected)));
    }
    terminal_.progress(progress);
  }
  evaluation.rejected_by_reason = rejections_.by_reason();
  return evaluation;
}

void Evaluator::add(const graph::Batch& batch, const nodes::Recognition& model,
                    Evaluation& evaluation) {
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

void Evaluator::add(const graph::IndexEntry& entry, const std::string& text,
                    Evaluation& evaluation) {
  const std::string reference = normalize_(entry.transcript);
  const nodes::Score score = nodes::score(reference, text);
  evaluation.add(entry, score);
  tell_(entry, reference, text, score);
}

}  // namespace flowqat::cli

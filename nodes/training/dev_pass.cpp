#include "nodes/training/dev_pass.h"

#include <chrono>
#include <cmath>

#include "graph/error.h"
#include "graph/format.h"
#include "nodes/support/ctc_loss.h"
#include "nodes/support/model_batch.h"
#include "nodes/support/score.h"
#include "recognizer/decoding.h"

namespace flowqat::nodes {
namespace {

/// Of the utterance in the row.
void add_loss(const model::Logits& logits, size_t row, const std::vector<int32_t>& target,
              int32_t blank, DevFigures& figures) {
  const size_t frames = static_cast<size_t>(logits.lengths_frames[row]),
               width = static_cast<size_t>(logits.vocabulary),
               begin = row * static_cast<size_t>(logits.frames) * width;
  const double loss = ctc_loss(std::span(logits.values).subspan(begin, frames * width),
                               logits.vocabulary, target, blank);
  if (!std::isfinite(loss)) {
    ++figures.infinite_losses;
    return;
  }
  figures.loss_sum += loss;
  figures.tokens += std::ssize(target);
}

}  // namespace

bool DevPass::run(const model::AcousticModel& model, const std::string& label, int64_t& batch,
                  DevFigures& figures) {
  const auto stream = context_.audio(dev_).open(node_ + ": " + dev_.name(), 0, batch);
  const graph::Extent extent = stream->extent();
  for (; const auto next = stream->next(); ++batch) {
    add(*next, model, figures);
    context_.progress({.what = node_ + ": " + dev_.name() + ", " + label,
                       .done = batch + 1,
                       .total = extent.batches,
                       .unit = "batches",
                       .more = {graph::format("WER %.2f %%", 100 * figures.words.rate())}});
    if (context_.stop_signal() != 0 && batch + 1 < extent.batches) return ++batch, false;
  }
  if (figures.words.references() == 0) {
    throw graph::RunError("node \"" + node_ + "\", key \"dev\": the stream of \"" + dev_.name() +
                          "\" holds no transcript to compare with");
  }
  return true;
}

void DevPass::add(const graph::Batch& batch, const model::AcousticModel& model,
                  DevFigures& figures) const {
  const ModelBatch prepared = to_model_batch(batch, tokenizer_, model.config(), rules_);
  const io::TextNormalizer normalize(tokenizer_, rules_);
  const auto add_text = [&](const graph::Row& row, const std::string& text) {
    const Score scored = score(normalize(row.entry->transcript), text);
    figures.words += scored.word_errors;
    figures.characters += scored.character_errors;
    ++figures.utterances;
  };
  if (prepared.audio.rows > 0) {
    const auto started = std::chrono::steady_clock::now();
    const model::Logits logits = model.infer(prepared.audio);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started;
    figures.infer_s += passed.count();
    const std::vector<std::string> texts = recognizer::texts_of(logits, tokenizer_);
    const auto blank = static_cast<int32_t>(model.config().pad_token_id);
    for (size_t row = 0; row < texts.size(); ++row) {
      add_text(*prepared.rows[row], texts[row]);
      add_loss(logits, row, prepared.audio.targets[row], blank, figures);
    }
  }
  for (const graph::Row* row : prepared.too_short) {
    add_text(*row, "");
    ++figures.infinite_losses;
  }
  figures.audio_s += batch.speech_s();
}

}  // namespace flowqat::nodes

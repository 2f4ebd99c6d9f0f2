#include "nodes/training/dev_pass.h"

#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "graph/divided_stream.h"
#include "graph/error.h"
#include "graph/format.h"
#include "nodes/support/ctc_loss.h"
#include "nodes/support/model_batch.h"
#include "nodes/support/out_of_memory.h"
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

/// What all processes heard, batch by batch.
void add_in_order(const std::vector<std::string>& of_all, DevFigures& figures) {
  std::map<int64_t, DevFigures> batches;
  for (const std::string& text : of_all) {
    for (const graph::Json& heard : parse_json<graph::Json>(text)) {
      batches.emplace(heard.at(0).get<int64_t>(), dev_figures(heard.at(1)));
    }
  }
  for (const auto& [number, heard] : batches) figures += heard;
}

}  // namespace

bool DevPass::run(const model::AcousticModel& model, const std::string& label, int64_t& batch,
                  DevFigures& figures) {
  graph::Together& together = context_.together();
  graph::DividedStream stream(together, context_.audio(dev_), node_ + ": " + dev_.name(), 0, batch);
  const graph::Extent extent = stream.extent();
  graph::Json own = graph::Json::array();  // by batch, so that sums do not depend on who heard it
  DevFigures shown = together.is_alone() ? figures : DevFigures();
  while (const auto next = stream.next()) {
    DevFigures heard;
    add(*next, model, heard);
    shown += heard;
    if (together.is_alone()) {
      figures += heard;
      batch = stream.position();
    } else {
      own.push_back({next->number, to_json(heard)});
    }
    context_.progress({.what = node_ + ": " + dev_.name() + ", " + label,
                       .done = next->number + 1,
                       .total = extent.batches,
                       .unit = "batches",
                       .more = {graph::format("WER %.2f %%", 100 * shown.words.rate())}});
    if (context_.stop_signal() != 0 && next->number + 1 < extent.batches) return false;
  }
  if (!together.is_alone()) {
    add_in_order(together.gather(own.dump()), figures);
    batch = stream.position();
    if (stream.is_stopped()) return false;
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
    const model::Logits logits = within_memory(node_ + ": " + dev_.name(), prepared.rows,
                                               [&] { return model.infer(prepared.audio); });
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

#include "nodes/support/step_checks.h"

#include <algorithm>
#include <utility>

#include "graph/plain_numbers.h"
#include "io/files/printable.h"
#include "nodes/support/model_folder.h"
#include "nodes/support/transcripts.h"

namespace flowqat::nodes {

namespace {

/// What transcripts need and the head has no token for.
struct Outside {
  int64_t utterances = 0;
  std::string first_utterance, first_token;
  io::CharacterCounts characters;  ///< that became the unknown token
};

Outside outside_of_head(const graph::CheckContext& context, const graph::Batcher& audio,
                        const ModelStep& model) {
  Outside outside;
  const graph::CheckedStream* stream = context.stream(audio);
  if (stream == nullptr) return outside;
  const io::TextNormalizer normalize(model.tokenizer(), model.text_rules());
  int64_t last = -1;  // presentations of an utterance stand behind one another
  for (const graph::Presentation& at : stream->known.selection.presentations) {
    if (std::exchange(last, at.entry) == at.entry) continue;
    if (stream->known.index.is_broken(at.entry)) continue;
    const graph::IndexEntry entry = stream->known.index[at.entry];
    io::CharacterCounts unknown;
    const auto ids = model.tokenizer().encode(normalize(entry.transcript), &unknown);
    const auto found =
        std::ranges::find_if(ids, [&](int32_t id) { return id >= model.config().vocab_size; });
    if (found == ids.end()) continue;
    if (++outside.utterances == 1) {
      outside.first_utterance = io::printable(entry.id);
      outside.first_token = "\"" + model.tokenizer().tokens()[static_cast<size_t>(*found)] + "\"";
    }
    if (model.tokenizer().unknown_id() < model.config().vocab_size) continue;
    for (const auto& [character, times] : unknown) outside.characters[character] += times;
  }
  return outside;
}

}  // namespace

void check_rate(const graph::CheckContext& context, const graph::Batcher& audio,
                const ModelStep& model) {
  const graph::CheckedStream* stream = context.stream(audio);
  if (stream == nullptr || stream->rate_hz == 0 || !model.knows_config()) return;
  const int heard_hz = model.extractor().rate_hz;
  if (stream->rate_hz == heard_hz) return;
  throw graph::GraphError("node \"" + audio.name() + "\": audio comes at " +
                          std::to_string(stream->rate_hz) + " Hz (" + io::printable(stream->path) +
                          "), the model hears " + std::to_string(heard_hz) +
                          " Hz; put a resample node into the stream");
}

void check_transcripts(const graph::CheckContext& context, const graph::Batcher& audio,
                       const graph::Step& step, const ModelStep& model,
                       const std::string& purpose) {
  const graph::CheckedStream* stream = context.stream(audio);
  if (stream == nullptr) return;
  const graph::Source& source = *stream->known.chain.source;
  const std::string where = "node \"" + step.name() + "\", key \"audio\": \"" + audio.name() +
                            "\" has no transcript to " + purpose + ": ";
  if (stream->with_transcript == 0) {
    const std::string found = io::printable(source.describe_transcripts());
    throw graph::GraphError(where + "none of the " + std::to_string(stream->utterances) +
                            " utterances of \"" + source.name() + "\" has one" +
                            (found.empty() ? "" : "; " + found));
  }
  if (!model.knows_config()) return;
  const io::TextNormalizer normalize(model.tokenizer(), model.text_rules());
  if (has_text(stream->known.index, stream->known.selection, normalize)) return;
  const TranscriptCounts counts =
      count_transcripts(stream->known.index, stream->known.selection, normalize);
  throw graph::GraphError(where + "normalization leaves nothing of any, the first is that of " +
                          counts.first_without_text());
}

void check_tokens(graph::CheckContext& context, const graph::Batcher& audio,
                  const graph::Step& step, const ModelStep& model) {
  if (!model.knows_config()) return;
  const io::Tokenizer& tokenizer = model.tokenizer();
  const int64_t size = model.config().vocab_size;
  const std::string where = "node \"" + step.name() + "\", key \"model\": ";
  if (tokenizer.size() < size) {
    throw graph::GraphError(where + small_vocabulary(model.config(), tokenizer) +
                            ": it can be used so, but not trained; give the model node a "
                            "\"vocabulary\" for a head of its own");
  }
  if (model.config().pad_token_id != tokenizer.blank_id()) {
    throw graph::GraphError(where + two_blanks(model.config(), tokenizer) +
                            "; set pad_token_id to the token that the model was trained to say "
                            "between others, nearly always the pad token");
  }
  if (tokenizer.size() == size) return;
  const Outside outside = outside_of_head(context, audio, model);
  if (outside.utterances > 0) {
    throw graph::GraphError(
        where + "the head has " + std::to_string(size) + " tokens and none for " +
        outside.first_token + ", which " + std::to_string(outside.utterances) +
        (outside.utterances == 1 ? " transcript needs: "
                                 : " transcripts need, the first of them ") +
        outside.first_utterance +
        (outside.characters.empty()
             ? ""
             : " (for what the vocabulary lacks: " + worst_first(outside.characters) + ")") +
        "; give the model node a \"vocabulary\", or take those utterances out");
  }
  context.seen(step.name() + ": the head has " + std::to_string(size) + " of the vocabulary's " +
               std::to_string(tokenizer.size()) + " tokens; no transcript needs the others");
}

void check_stage(const graph::Step& step, const ModelStep& from,
                 std::initializer_list<Stage> fitting, const std::string& advice) {
  const auto stage = from.stage();
  if (!stage || std::find(fitting.begin(), fitting.end(), *stage) != fitting.end()) return;
  throw graph::GraphError("node \"" + step.name() + "\", key \"model\": \"" + from.name() +
                          "\" gives " + describe(*stage) + "; " + advice);
}

void check_processes(const graph::Step& step, int64_t batches_per_step, int processes) {
  if (batches_per_step % processes == 0) return;
  std::string fitting;
  for (int64_t number = 1; number <= batches_per_step; ++number) {
    if (batches_per_step % number == 0) {
      fitting += (fitting.empty() ? "" : ", ") + std::to_string(number);
    }
  }
  throw graph::GraphError(
      "node \"" + step.name() + "\", key \"batches_per_step\": is " +
      std::to_string(batches_per_step) + ", and " + graph::whole_text(processes) +
      " processes share the run, who must have as many batches of every step: "
      "start one of " +
      fitting + " processes, or choose a multiple of " + std::to_string(processes));
}

}  // namespace flowqat::nodes

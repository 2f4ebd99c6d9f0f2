#include "nodes/support/transcripts.h"

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "graph/error.h"
#include "graph/format.h"
#include "io/files/error.h"
#include "io/text/characters.h"
#include "io/text/unicode.h"
#include "nodes/support/score.h"

namespace flowqat::nodes {

using graph::format;

void TranscriptCounts::add(const graph::IndexEntry& entry, const io::TextNormalizer& normalize) {
  if (entry.transcript.empty()) return;
  try {
    const std::string text = normalize(entry.transcript);
    io::CharacterCounts found;
    normalize.tokenizer().encode(text, &found);
    ++utterances;
    characters += std::ssize(io::from_utf8(text));
    changed += text == entry.transcript ? 0 : 1;
    if (found.empty()) return;
    if (++unknown_utterances == 1) first_unknown = entry.id;
    for (const auto& [character, times] : found) unknown[character] += times;
  } catch (const io::Error& error) {
    throw graph::RunError("the transcript of " + entry.id + ": " + error.what());
  }
}

TranscriptCounts count_transcripts(const graph::Pipeline& pipeline,
                                   const io::TextNormalizer& normalize) {
  TranscriptCounts counts;
  int64_t last = -1;  // presentations of an utterance stand behind one another
  for (const graph::Presentation& presentation : pipeline.selection().presentations) {
    if (std::exchange(last, presentation.entry) == presentation.entry) continue;
    counts.add(pipeline.index()[presentation.entry], normalize);
  }
  return counts;
}

std::string worst_first(const io::CharacterCounts& counts, size_t most) {
  std::string text;
  for (const auto& [character, times] : most_frequent(counts, most)) {
    text += (text.empty() ? "" : ", ") + io::character_name(character) +
            (times == 1 ? " (once)" : format(" (%lld times)", static_cast<long long>(times)));
  }
  if (counts.size() > most) text += format(" and %zu more", counts.size() - most);
  return text;
}

std::string unknown_characters_line(const TranscriptCounts& counts) {
  if (counts.unknown.empty()) return "";
  int64_t sum = 0;
  for (const auto& [character, times] : counts.unknown) sum += times;
  return format("%lld characters in %lld of %lld transcripts are not in the vocabulary: ",
                static_cast<long long>(sum), static_cast<long long>(counts.unknown_utterances),
                static_cast<long long>(counts.utterances)) +
         worst_first(counts.unknown) + "; the first is in " + counts.first_unknown;
}

graph::Json to_json(const TranscriptCounts& counts) {
  graph::Json unknown = graph::Json::object();
  for (const auto& [character, times] : most_frequent(counts.unknown, counts.unknown.size())) {
    unknown[character] = times;
  }
  return {{"utterances", counts.utterances},
          {"characters", counts.characters},
          {"normalized", counts.changed},
          {"out_of_vocabulary", unknown},
          {"out_of_vocabulary_utterances", counts.unknown_utterances}};
}

void tell_transcripts(graph::StepContext& context, const graph::Batcher& batcher,
                      const std::string& step, const io::TextNormalizer& normalize) {
  const TranscriptCounts counts = count_transcripts(context.audio(batcher), normalize);
  graph::Json& told = context.summary().emplace("transcripts", graph::Json::object()).first.value();
  const graph::Json json = to_json(counts);
  std::string name = batcher.name();
  if (told.contains(name) && told[name] != json) name += " in " + step;  // another vocabulary
  if (told.contains(name)) return;
  told[name] = json;
  if (const std::string line = unknown_characters_line(counts); !line.empty()) {
    context.reporter().say(name + ": " + line);
  }
}

}  // namespace flowqat::nodes

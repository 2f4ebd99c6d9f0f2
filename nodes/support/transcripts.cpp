#include "nodes/support/transcripts.h"

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "graph/error.h"
#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "io/files/error.h"
#include "io/files/printable.h"
#include "io/text/characters.h"
#include "io/text/unicode.h"
#include "nodes/support/score.h"

namespace flowqat::nodes {

using graph::format;

void TranscriptCounts::add(const graph::IndexEntry& entry, const io::TextNormalizer& normalize) {
  if (!entry.broken.empty()) return;
  ++all;
  try {
    const std::string text = normalize(entry.transcript);
    if (text.empty()) {
      ++without_text;
      if (named_without_text.size() < named) named_without_text.push_back(entry.id);
    }
    if (entry.transcript.empty()) return;
    const std::vector<std::string> found_tags = normalize.tags(entry.transcript);
    for (const std::string& tag : found_tags) ++tags[tag];
    tagged_utterances += found_tags.empty() ? 0 : 1;
    drops_tags = normalize.drops_tags();
    io::CharacterCounts found;
    normalize.tokenizer().encode(text, &found);
    ++utterances;
    characters += std::ssize(io::from_utf8(text));
    changed += text == entry.transcript ? 0 : 1;
    if (found.empty()) return;
    if (++unknown_utterances == 1) first_unknown = entry.id;
    for (const auto& [character, times] : found) unknown[character] += times;
  } catch (const io::Error& error) {
    throw graph::RunError("the transcript of " + io::printable(entry.id) + ": " + error.what());
  }
}

std::string TranscriptCounts::first_without_text() const {
  return named_without_text.empty() ? "" : io::printable(named_without_text.front());
}

TranscriptCounts count_transcripts(const graph::Index& index, const graph::Selection& selection,
                                   const io::TextNormalizer& normalize) {
  TranscriptCounts counts;
  int64_t last = -1;  // presentations of an utterance stand behind one another
  for (const graph::Presentation& presentation : selection.presentations) {
    if (std::exchange(last, presentation.entry) == presentation.entry) continue;
    counts.add(index[presentation.entry], normalize);
  }
  return counts;
}

namespace {

int64_t sum_of(const io::CharacterCounts& counts) {
  int64_t sum = 0;
  for (const auto& [what, times] : counts) sum += times;
  return sum;
}

std::string list_of(const io::CharacterCounts& counts, size_t most,
                    std::string (*name)(const std::string&)) {
  std::string text;
  for (const auto& [what, times] : most_frequent(counts, most)) {
    text += (text.empty() ? "" : ", ") + name(what) +
            (times == 1 ? " (once)" : format(" (%lld times)", static_cast<long long>(times)));
  }
  if (counts.size() > most) text += format(" and %zu more", counts.size() - most);
  return text;
}

}  // namespace

std::string worst_first(const io::CharacterCounts& counts, size_t most) {
  return list_of(counts, most, io::character_name);
}

std::string tags_list(const io::CharacterCounts& tags, size_t most) {
  return list_of(tags, most, [](const std::string& tag) { return io::printable(tag); });
}

std::string unknown_characters_line(const TranscriptCounts& counts) {
  if (counts.unknown.empty()) return "";
  return format("%lld characters in %lld of %lld transcripts are not in the vocabulary: ",
                static_cast<long long>(sum_of(counts.unknown)),
                static_cast<long long>(counts.unknown_utterances),
                static_cast<long long>(counts.utterances)) +
         worst_first(counts.unknown) + "; the first is in " + io::printable(counts.first_unknown);
}

std::string without_text_line(const TranscriptCounts& counts) {
  if (counts.without_text == 0) return "";
  std::string line = graph::counted(counts.without_text, "utterance") + " of " +
                     graph::whole_text(counts.all) + " without a text, taken for silence: ";
  for (const std::string& id : counts.named_without_text) {
    line += (&id == &counts.named_without_text.front() ? "" : ", ") + io::printable(id);
  }
  const auto more = counts.without_text - std::ssize(counts.named_without_text);
  return more > 0 ? line + " and " + graph::whole_text(more) + " more" : line;
}

std::string tags_line(const TranscriptCounts& counts, const std::string& key) {
  if (counts.tags.empty()) return "";
  return graph::counted(sum_of(counts.tags), "tag") + " in brackets in " +
         graph::whole_text(counts.tagged_utterances) + " of " +
         graph::counted(counts.utterances, "transcript") +
         (counts.drops_tags ? ", left out: " : ", taken for words: ") + tags_list(counts.tags) +
         (counts.drops_tags ? "" : "; " + key + " leaves them out");
}

graph::Json to_json(const TranscriptCounts& counts) {
  graph::Json unknown = graph::Json::object();
  for (const auto& [character, times] : most_frequent(counts.unknown, counts.unknown.size())) {
    unknown[character] = times;
  }
  graph::Json tags = graph::Json::object();
  for (const auto& [tag, times] : most_frequent(counts.tags, counts.tags.size())) tags[tag] = times;
  return {{"utterances", counts.utterances},
          {"characters", counts.characters},
          {"normalized", counts.changed},
          {"without_text", counts.without_text},
          {"tags", tags},
          {"out_of_vocabulary", unknown},
          {"out_of_vocabulary_utterances", counts.unknown_utterances}};
}

void tell_transcripts(graph::StepContext& context, const graph::Batcher& batcher,
                      const graph::Step& step, const io::TextNormalizer& normalize,
                      const std::string& purpose) {
  graph::Pipeline& pipeline = context.audio(batcher);
  const TranscriptCounts counts =
      count_transcripts(pipeline.index(), pipeline.selection(), normalize);
  if (counts.characters == 0) {
    const std::string found = io::printable(pipeline.chain().source->describe_transcripts());
    throw graph::RunError("node \"" + step.name() + "\", key \"audio\": \"" + batcher.name() +
                          "\" has no transcript to " + purpose +
                          (counts.utterances > 0 ? ": normalization leaves nothing of any"
                           : found.empty()       ? ""
                                                 : "; " + found));
  }
  graph::Json& told = context.summary().emplace("transcripts", graph::Json::object()).first.value();
  const graph::Json json = to_json(counts);
  std::string name = batcher.name();
  if (told.contains(name) && told[name] != json)
    name += " in " + step.name();  // another vocabulary
  if (told.contains(name)) return;
  told[name] = json;
  for (const std::string& line :
       {without_text_line(counts), tags_line(counts, "the key \"drop_tags\" of the model node"),
        unknown_characters_line(counts)}) {
    if (!line.empty()) context.reporter().say(name + ": " + line);
  }
}

}  // namespace flowqat::nodes

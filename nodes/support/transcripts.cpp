#include "nodes/support/transcripts.h"

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "graph/error.h"
#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "io/files/error.h"
#include "io/files/parallel.h"
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

void TranscriptCounts::add(const TranscriptCounts& others) {
  all += others.all;
  utterances += others.utterances;
  characters += others.characters;
  changed += others.changed;
  for (const auto& [character, times] : others.unknown) unknown[character] += times;
  if (unknown_utterances == 0) first_unknown = others.first_unknown;
  unknown_utterances += others.unknown_utterances;
  for (const auto& [tag, times] : others.tags) tags[tag] += times;
  tagged_utterances += others.tagged_utterances;
  drops_tags |= others.drops_tags;
  without_text += others.without_text;
  for (const std::string& id : others.named_without_text) {
    if (named_without_text.size() < named) named_without_text.push_back(id);
  }
}

namespace {

/// Calls `use` with every utterance that is presented, until it says false.
template <typename Use>
void for_each_utterance(const graph::Selection& selection, const Use& use) {
  int64_t last = -1;  // presentations of an utterance stand behind one another
  for (const graph::Presentation& at : selection.presentations) {
    if (std::exchange(last, at.entry) != at.entry && !use(at.entry)) return;
  }
}

}  // namespace

TranscriptCounts count_transcripts(const graph::Index& index, const graph::Selection& selection,
                                   const io::TextNormalizer& normalize, size_t most, int threads) {
  constexpr size_t kPart = 4096;
  size_t count = 0;
  for_each_utterance(selection, [&](uint32_t) { return ++count > 0; });
  const size_t every = (count + most - 1) / most;
  std::vector<uint32_t> looked_at;
  size_t number = 0;
  for_each_utterance(selection, [&](uint32_t entry) {
    if (number++ % std::max<size_t>(every, 1) == 0) looked_at.push_back(entry);
    return true;
  });
  std::vector<TranscriptCounts> parts((looked_at.size() + kPart - 1) / kPart);
  io::parallel_for(parts.size(), threads, [&](size_t part) {
    const size_t end = std::min(looked_at.size(), (part + 1) * kPart);
    for (size_t i = part * kPart; i < end; ++i) parts[part].add(index[looked_at[i]], normalize);
  });
  TranscriptCounts counts;
  for (const TranscriptCounts& part : parts) counts.add(part);
  if (every > 1) counts.part_of = static_cast<int64_t>(count);
  return counts;
}

bool has_text(const graph::Index& index, const graph::Selection& selection,
              const io::TextNormalizer& normalize) {
  bool found = false;
  for_each_utterance(selection, [&](uint32_t entry) {
    if (index.is_broken(entry) || !index.has_transcript(entry)) return true;
    TranscriptCounts counts;
    counts.add(index[entry], normalize);
    found = counts.characters > 0;
    return !found;
  });
  return found;
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

std::string part_line(const TranscriptCounts& counts) {
  if (counts.part_of == 0) return "";
  return graph::whole_text(counts.all) + " of " + graph::whole_text(counts.part_of) +
         " utterances were looked at, spread evenly, for what their texts hold";
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
  graph::Json json{{"utterances", counts.utterances},
                   {"characters", counts.characters},
                   {"normalized", counts.changed},
                   {"without_text", counts.without_text},
                   {"tags", tags},
                   {"out_of_vocabulary", unknown},
                   {"out_of_vocabulary_utterances", counts.unknown_utterances}};
  if (counts.part_of > 0) json["part_of"] = counts.part_of;
  return json;
}

void tell_transcripts(graph::StepContext& context, const graph::Batcher& batcher,
                      const graph::Step& step, const io::TextNormalizer& normalize,
                      const std::string& purpose) {
  graph::Pipeline& pipeline = context.audio(batcher);
  const TranscriptCounts counts = count_transcripts(
      pipeline.index(), pipeline.selection(), normalize, most_counted, pipeline.threads().count());
  const bool is_part = counts.part_of > 0;
  if (counts.characters == 0 &&
      !(is_part && has_text(pipeline.index(), pipeline.selection(), normalize))) {
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
  for (const std::string& line : {part_line(counts), without_text_line(counts),
                                  tags_line(counts, "the key \"drop_tags\" of the model node"),
                                  unknown_characters_line(counts)}) {
    if (!line.empty()) context.reporter().say(name + ": " + line);
  }
}

}  // namespace flowqat::nodes

/// The transcripts of a stream against a vocabulary: what normalization changes, and what stays
/// outside it. All of it is known from the index, before anything is heard.
#pragma once
#include <string>

#include "graph/run.h"
#include "io/text/text_normalizer.h"

namespace flowqat::nodes {

struct TranscriptCounts {
  /// How many utterances without a text are known by name.
  static constexpr size_t named = 3;

  int64_t all = 0;                 ///< utterances that are not known to be broken
  int64_t utterances = 0;          ///< with a transcript
  int64_t characters = 0;          ///< of them all, normalized
  int64_t changed = 0;             ///< utterances whose transcript normalization changes
  io::CharacterCounts unknown;     ///< still outside the vocabulary
  int64_t unknown_utterances = 0;  ///< that hold such characters
  std::string first_unknown;       ///< the id of the first of them
  io::CharacterCounts tags;        ///< in brackets, that are no tokens; by their text as written
  int64_t tagged_utterances = 0;   ///< that hold such tags
  bool drops_tags = false;         ///< whether normalization leaves them out
  int64_t without_text = 0;        ///< utterances without a transcript, or of which nothing is left
  std::vector<std::string> named_without_text;  ///< the ids of the first of them
  /// How many utterances there are, where only a part of them was looked at; 0: all were.
  int64_t part_of = 0;

  /// What is broken is not counted: it is going to be rejected. Throws RunError, naming the
  /// utterance, for a transcript that is not UTF-8.
  void add(const graph::IndexEntry& entry, const io::TextNormalizer& normalize);
  /// Adds what was counted of utterances behind these.
  void add(const TranscriptCounts& others);
  /// The id of the first; or nothing.
  std::string first_without_text() const;
};

/// Larger streams are looked at in so many utterances, spread evenly over the corpus.
inline constexpr size_t most_counted = size_t{1} << 18;

/// Of the utterances that the stream presents, each once, or of `most` of them; on `threads`
/// threads (0: all cores).
TranscriptCounts count_transcripts(const graph::Index& index, const graph::Selection& selection,
                                   const io::TextNormalizer& normalize, size_t most = most_counted,
                                   int threads = 0);

/// Whether normalization leaves a text of any that the stream presents.
bool has_text(const graph::Index& index, const graph::Selection& selection,
              const io::TextNormalizer& normalize);

/// `7 (12 times), é (U+00E9) (once)`, the most frequent first, at most `most` of them.
std::string worst_first(const io::CharacterCounts& counts, size_t most = 20);

/// The same of tags.
std::string tags_list(const io::CharacterCounts& tags, size_t most = 20);

/// "262,144 of 10,000,000 transcripts looked at, ...", or nothing.
std::string part_line(const TranscriptCounts& counts);

/// "31 characters in 12 of 400 transcripts are not in the vocabulary ...", or nothing.
std::string unknown_characters_line(const TranscriptCounts& counts);

/// "3 of 400 utterances have no text and are taken for silence: a, b, c", or nothing.
std::string without_text_line(const TranscriptCounts& counts);

/// "14 tags in brackets in 12 of 400 transcripts are taken for words: [LAUGHTER] ...", or nothing.
/// `key` says what leaves them out: "\"drop_tags\": true".
std::string tags_line(const TranscriptCounts& counts, const std::string& key);

/// What becomes an object of summary.json; characters by their number, the most frequent first.
graph::Json to_json(const TranscriptCounts& counts);

/// Writes the counts of `batcher`'s stream into the summary, and says what is outside the
/// vocabulary, which tags there are and which utterances have no text: once for a stream, however
/// many steps listen to it. Throws RunError where no text is left that `step` could `purpose`
/// ("learn from").
void tell_transcripts(graph::StepContext& context, const graph::Batcher& batcher,
                      const graph::Step& step, const io::TextNormalizer& normalize,
                      const std::string& purpose);

}  // namespace flowqat::nodes

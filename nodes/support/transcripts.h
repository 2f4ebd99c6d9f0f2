/// The transcripts of a stream against a vocabulary: what normalization changes, and what stays
/// outside it. All of it is known from the index, before anything is heard.
#pragma once
#include <string>

#include "graph/run.h"
#include "io/text/text_normalizer.h"

namespace flowqat::nodes {

struct TranscriptCounts {
  int64_t utterances = 0;          ///< with a transcript
  int64_t characters = 0;          ///< of them all, normalized
  int64_t changed = 0;             ///< utterances whose transcript normalization changes
  io::CharacterCounts unknown;     ///< still outside the vocabulary
  int64_t unknown_utterances = 0;  ///< that hold such characters
  std::string first_unknown;       ///< the id of the first of them

  /// Throws RunError, naming the utterance, for a transcript that is not UTF-8.
  void add(const graph::IndexEntry& entry, const io::TextNormalizer& normalize);
};

/// Of the utterances that the stream presents, each once.
TranscriptCounts count_transcripts(const graph::Pipeline& pipeline,
                                   const io::TextNormalizer& normalize);

/// `7 (12 times), é (U+00E9) (once)`, the most frequent first, at most `most` of them.
std::string worst_first(const io::CharacterCounts& counts, size_t most = 20);

/// "31 characters in 12 of 400 transcripts are not in the vocabulary ...", or nothing.
std::string unknown_characters_line(const TranscriptCounts& counts);

/// What becomes an object of summary.json; characters by their number, the most frequent first.
graph::Json to_json(const TranscriptCounts& counts);

/// Writes the counts of `batcher`'s stream into the summary, and says what is outside the
/// vocabulary: once for a stream, however many steps listen to it.
void tell_transcripts(graph::StepContext& context, const graph::Batcher& batcher,
                      const std::string& step, const io::TextNormalizer& normalize);

}  // namespace flowqat::nodes

#include "nodes/support/score.h"

#include <nlohmann/json.hpp>

namespace flowqat::nodes {

Score score(const std::string& reference, const std::string& hypothesis) {
  Score score{.words = align_words(reference, hypothesis),
              .word_errors = {},
              .character_errors = align_characters(reference, hypothesis).counts()};
  score.word_errors = score.words.counts();
  return score;
}

graph::Json listing(const graph::IndexEntry& entry, const std::string& reference,
                    const std::string& hypothesis, const Score& score) {
  return {{"id", entry.id},
          {"speaker", entry.speaker},
          {"duration_s", entry.shape.seconds()},
          {"reference", reference},
          {"hypothesis", hypothesis},
          {"errors", score.word_errors.errors()},
          {"substitutions", score.word_errors.substitutions},
          {"deletions", score.word_errors.deletions},
          {"insertions", score.word_errors.insertions},
          {"reference_words", score.word_errors.references()},
          {"character_errors", score.character_errors.errors()},
          {"reference_characters", score.character_errors.references()}};
}

void ScoreSums::add(const Score& score, double duration_s) {
  words += score.word_errors;
  characters += score.character_errors;
  ++utterances;
  audio_s += duration_s;
}

void WordTallies::add(const Alignment& words) {
  auto said = words.reference.begin(), heard = words.hypothesis.begin();
  for (const Edit edit : words.edits) {
    switch (edit) {
      case Edit::hit:
        ++said, ++heard;
        break;
      case Edit::substitution:
        ++confused[{*said++, *heard++}];
        break;
      case Edit::deletion:
        ++deleted[*said++];
        break;
      case Edit::insertion:
        ++inserted[*heard++];
        break;
    }
  }
}

}  // namespace flowqat::nodes

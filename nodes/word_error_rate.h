#pragma once
#include <cstdint>
#include <string>

namespace flowqat::nodes {

/// Word errors of one or more utterances: the fewest substitutions, deletions and insertions that
/// turn the reference into the hypothesis (Levenshtein), words split at white space.
struct WordErrors {
  int64_t substitutions = 0, deletions = 0, insertions = 0;
  int64_t reference_words = 0;

  int64_t errors() const { return substitutions + deletions + insertions; }
  /// A share, above 1 if more was inserted than spoken. Without reference words: 0 if nothing was
  /// inserted, else 1.
  double rate() const;
  WordErrors& operator+=(const WordErrors& other);
};

WordErrors count_word_errors(const std::string& reference, const std::string& hypothesis);

}  // namespace flowqat::nodes

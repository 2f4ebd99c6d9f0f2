/// Word and character error rates: the fewest substitutions, deletions and insertions that turn
/// what was said into what was heard (Levenshtein). Texts are split, ties are broken and rates are
/// taken as jiwer 4.0 does it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace flowqat::nodes {

/// Of one or more utterances.
struct ErrorCounts {
  int64_t hits = 0, substitutions = 0, deletions = 0, insertions = 0;

  int64_t errors() const { return substitutions + deletions + insertions; }
  /// Words or characters that were said.
  int64_t references() const { return hits + substitutions + deletions; }
  /// Errors a reference, above 1 if more was inserted than said. Where nothing was said it is the
  /// number of insertions, which is jiwer's answer too.
  double rate() const;
  ErrorCounts& operator+=(const ErrorCounts& other);
  bool operator==(const ErrorCounts&) const = default;
};

enum class Edit : uint8_t { hit, substitution, deletion, insertion };

/// Reference and hypothesis, word by word or character by character, and the way from one to the
/// other: `edits` walks both at once (a deletion passes a reference, an insertion a hypothesis, the
/// others one of each).
struct Alignment {
  std::vector<std::string> reference, hypothesis;
  std::vector<Edit> edits;

  ErrorCounts counts() const;
};

/// Words are what stands between spaces; two or more white-space characters in a row are one space,
/// a single tab or no-break space is part of its word. Needs time and a quarter of a byte for every
/// pair of words. Of several shortest ways the one is taken that rapidfuzz (behind jiwer) takes for
/// up to about 2,000 words; beyond, it cuts texts in two to save memory, and a tie may then be
/// broken otherwise. Throws io::Error if a text is not UTF-8.
Alignment align_words(const std::string& reference, const std::string& hypothesis);

/// The same over Unicode code points: spaces inside a text count, white space at its ends does not.
Alignment align_characters(const std::string& reference, const std::string& hypothesis);

}  // namespace flowqat::nodes

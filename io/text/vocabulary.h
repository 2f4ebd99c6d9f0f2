/// The characters that a recogniser of a corpus needs, from its transcripts.
#pragma once
#include <string>
#include <vector>

#include "io/text/tokenizer.h"

namespace flowqat::io {

/// automatic: as_written if the texts have letters of one case only, else lower.
enum class LetterCase { automatic, lower, upper, as_written };

/// "auto", "lower", "upper" or "as-written". Throws Error listing these for any other text.
LetterCase parse_letter_case(const std::string& text);
/// The texts that parse_letter_case knows, the default first.
std::vector<std::string> letter_case_names();

struct VocabularyRules {
  LetterCase letter_case = LetterCase::automatic;
  int64_t min_count = 1;  ///< what is there less often is left out
  /// Characters that are kept although they are left out otherwise, as UTF-8.
  std::string keep = {};
};

struct Vocabulary {
  std::vector<std::string> characters;  ///< without the special tokens, by code point
  CharacterCounts counts;               ///< of these
  CharacterCounts left_out;             ///< signs and rare characters, as they would be tokens
  CharacterCounts tags;                 ///< in brackets; their letters are not counted
  bool is_turkish = false;              ///< I and ı, İ and i are pairs

  /// With the special tokens of Wav2Vec2CTCTokenizer before them: <pad>, <s>, </s>, <unk> and "|".
  Tokenizer tokenizer() const;
};

/// Characters are taken in NFC and in one case; letters, digits, marks and apostrophes in words
/// count. What a normalizer would leave out of a text or make a space (white space, punctuation,
/// hyphens, invisible characters) is no token, and neither are signs that are read out (% & € ...)
/// and other symbols: these are `left_out`, unless they are among `keep`. A corpus of Turkish kind
/// is told by its share of dotless "ı" and dotted "İ", and lower and upper case go by that; in
/// others these two count as i and I. Throws Error for a text or `keep` that is not UTF-8, and for
/// a `keep` that holds a space or the word delimiter "|".
Vocabulary make_vocabulary(const std::vector<std::string>& texts, const VocabularyRules& rules);

}  // namespace flowqat::io

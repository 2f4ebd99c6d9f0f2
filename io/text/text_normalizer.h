/// Transcripts as people write them, brought to the vocabulary of a recogniser.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "io/text/tokenizer.h"

namespace flowqat::io {

/// vocabulary: as TextNormalizer has it; none: as written.
enum class TextNormalization { vocabulary, none };

/// "vocabulary" or "none". Throws Error listing these for any other text.
TextNormalization parse_text_normalization(const std::string& text);
/// The texts that parse_text_normalization knows, the default first.
std::vector<std::string> text_normalization_names();

/// Changes what the vocabulary lacks and nothing else: a text whose every character has a token
/// comes back as it is, but for white space, which becomes single spaces within and none around.
/// The rules, of which the first that fits decides:
///
/// - a letter takes the case that the vocabulary has ("straße" becomes "STRASSE");
/// - an apostrophe of another shape (U+2019, U+2018, U+02BC, U+FF07, "`", U+00B4) becomes the one
///   that the vocabulary has, if the sign stands in a word, or before or behind one without being
///   half of a pair of quotes;
/// - a hyphen becomes "-" if the vocabulary has it, else a space; so do longer dashes, slashes,
///   "_" and "…", which stand between words: always a space;
/// - quotes of another shape become '"' if the vocabulary has it;
/// - what else has a compatibility decomposition (NFKD) becomes that, without accents that the
///   vocabulary lacks: "É" becomes "E", "ﬁ" becomes "FI". A letter and its accent that are written
///   as two characters become one if the vocabulary has that;
/// - other punctuation and invisible characters are left out ("U.S." becomes "US").
///
/// Digits, signs that are read out (% & @ # § currencies) and other letters stay as they are:
/// outside the vocabulary, to be counted. Phonemes stay as written, with `none`. Where the
/// tokenizer works in lower case the result is lower case, as decoding gives it. Tokens of several
/// characters, such as "<unk>", stay too.
class TextNormalizer {
 public:
  /// `tokenizer` outlives it.
  TextNormalizer(const Tokenizer& tokenizer, TextNormalization how);

  /// Throws Error if `text` is not UTF-8.
  std::string operator()(const std::string& text) const;

  const Tokenizer& tokenizer() const { return tokenizer_; }

 private:
  /// What becomes of one character by itself; none: it stays, outside the vocabulary.
  std::optional<std::u32string> folded(char32_t c) const;
  bool has_all(std::u32string_view text) const;

  const Tokenizer& tokenizer_;
  TextNormalization how_;
  std::optional<char32_t> apostrophe_;  ///< the vocabulary's
};

}  // namespace flowqat::io

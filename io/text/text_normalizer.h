/// Transcripts as people write them, brought to the vocabulary of a recogniser.
#pragma once
#include <map>
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

/// What is made of transcripts.
struct TextRules {
  TextRules(TextNormalization how = TextNormalization::vocabulary,  // NOLINT: one is rules
            bool drop_tags = false)
      : how(how), drop_tags(drop_tags) {}
  TextNormalization how;
  bool drop_tags;  ///< tags in brackets (tags.h) that are no tokens are left out
};

/// Changes what the vocabulary lacks and nothing else: a text whose every character has a token
/// comes back as it is, but for white space, which becomes single spaces within and none around,
/// and for marks behind a letter where the vocabulary has what they make together.
/// The rules, of which the first that fits decides:
///
/// - a letter and its marks, in any order, become what they make together (NFC), or what the
///   vocabulary has of the same canonical form;
/// - a letter takes the case that the vocabulary has ("straße" becomes "STRASSE", and "strasse"
///   where it has small letters and no "ß"). A vocabulary with a dotless "ı" beside "i", or a
///   dotted "İ" beside "I", pairs I with ı and İ with i, as Turkish does;
/// - an apostrophe of another shape (U+2019, U+2018, U+02BC, U+FF07, "`", U+00B4) becomes the one
///   that the vocabulary has, if the sign stands in a word, or before or behind one without being
///   half of a pair of quotes;
/// - a hyphen becomes "-" if the vocabulary has it, else a space; so do longer dashes, slashes,
///   "_" and "…", which stand between words: always a space;
/// - quotes of another shape become '"' if the vocabulary has it;
/// - what else has a compatibility decomposition (NFKD) becomes that, without accents that the
///   vocabulary lacks: "É" becomes "E", "ﬁ" becomes "FI", "ệ" becomes "ê" where that is there;
/// - other punctuation and invisible characters are left out ("U.S." becomes "US").
///
/// Digits, signs that are read out (% & @ # § currencies) and other letters stay as they are:
/// outside the vocabulary, to be counted. Phonemes stay as written, with `none`. Where the
/// tokenizer works in lower case the result is lower case, as decoding gives it. Tokens of several
/// characters, such as "<unk>", stay too.
class TextNormalizer {
 public:
  /// `tokenizer` outlives it.
  TextNormalizer(const Tokenizer& tokenizer, TextRules rules);

  /// Throws Error if `text` is not UTF-8.
  std::string operator()(const std::string& text) const;

  /// The tags of `text` (tags.h) that are no tokens, as written, in their order. Throws Error if
  /// `text` is not UTF-8.
  std::vector<std::string> tags(const std::string& text) const;

  const Tokenizer& tokenizer() const { return tokenizer_; }
  bool drops_tags() const { return rules_.drop_tags; }

 private:
  /// With letters and marks put together, and without tags if they are to be dropped.
  std::u32string composed(std::u32string_view text) const;
  /// The same of one character and the marks behind it.
  std::u32string compose_one(std::u32string_view written) const;
  std::u32string upper(std::u32string_view text) const;
  std::u32string lower(std::u32string_view text) const;
  /// `c` in the case that the vocabulary has.
  std::optional<std::u32string> cased(char32_t c) const;
  /// Puts `mark` on the last character of `out` if the vocabulary has what that makes.
  bool put_on_last(std::u32string& out, char32_t mark) const;
  /// What becomes of one character by itself; none: it stays, outside the vocabulary.
  std::optional<std::u32string> folded(char32_t c) const;
  bool has_all(std::u32string_view text) const;

  const Tokenizer& tokenizer_;
  TextRules rules_;
  std::optional<char32_t> apostrophe_;  ///< the vocabulary's
  bool is_turkish_ = false;             ///< I and ı, İ and i are pairs
  /// Of tokens that are not in NFD: what they are by what they are in it.
  std::map<std::u32string, std::u32string> composites_;
};

}  // namespace flowqat::io

#include "io/text/text_normalizer.h"

#include <algorithm>

#include "io/files/error.h"
#include "io/text/characters.h"
#include "io/text/unicode.h"

namespace flowqat::io {
namespace {

/// The first three are those that a vocabulary may have.
constexpr std::u32string_view apostrophes = U"'\u2019\u02bc\u2018\uff07`\u00b4\u201b\u2032";
constexpr std::u32string_view double_quotes = U"\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02";
constexpr std::u32string_view hyphens = U"-\u2010\u2011\ufe63\uff0d";
/// Stand between words that are written without a space.
constexpr std::u32string_view separators = U"/\\_\u2026\u2012\u2013\u2014\u2015\u2e3a\u2e3b\u30fb";
/// Punctuation by Unicode's categories, but read out.
constexpr std::u32string_view spoken = U"%&@#\u2030\u2031\u00a7\u00b6\uff05\uff06\uff20\uff03";

bool is_one_of(char32_t c, std::u32string_view list) { return list.find(c) != list.npos; }

/// Tells apostrophes from quotes, from the first character of a text to the last.
class Quotes {
 public:
  /// Whether the sign at `at`, which may be either, is an apostrophe.
  bool is_apostrophe(std::u32string_view text, size_t at) {
    const bool behind_letter = at > 0 && is_letter_or_accent(text[at - 1]);
    const bool before_letter = at + 1 < text.size() && is_letter(text[at + 1]);
    if (behind_letter && before_letter) return true;
    const bool opens = text[at] == U'\u2018' || text[at] == U'\u201b' || text[at] == U'`';
    if (opens) {
      open_ = true;
      return false;
    }
    if (open_ && !before_letter) {
      open_ = false;
      return false;
    }
    return behind_letter || before_letter;
  }

 private:
  static bool is_letter_or_accent(char32_t c) { return is_letter(c) || is_accent(c); }
  bool open_ = false;
};

/// Single spaces between words, none around them.
std::u32string with_single_spaces(std::u32string_view text) {
  std::u32string out;
  for (const char32_t c : text) {
    if (!is_space(c)) {
      out += c;
    } else if (!out.empty() && out.back() != U' ') {
      out += U' ';
    }
  }
  if (!out.empty() && out.back() == U' ') out.pop_back();
  return out;
}

}  // namespace

TextNormalization parse_text_normalization(const std::string& text) {
  if (text == "vocabulary") return TextNormalization::vocabulary;
  if (text == "none") return TextNormalization::none;
  throw Error("expected a text normalization, \"vocabulary\" or \"none\", found \"" + text + "\"");
}

std::vector<std::string> text_normalization_names() { return {"vocabulary", "none"}; }

TextNormalizer::TextNormalizer(const Tokenizer& tokenizer, TextNormalization how)
    : tokenizer_(tokenizer),
      // A phoneme is no letter that could take another form.
      how_(tokenizer.kind() == TokenizerKind::phonemes ? TextNormalization::none : how) {
  for (const char32_t c : apostrophes.substr(0, 3)) {
    if (!apostrophe_ && tokenizer.has(c)) apostrophe_ = c;
  }
}

bool TextNormalizer::has_all(std::u32string_view text) const {
  return !text.empty() && std::ranges::all_of(text, [&](char32_t c) { return tokenizer_.has(c); });
}

std::optional<std::u32string> TextNormalizer::folded(char32_t c) const {
  if (tokenizer_.has(c)) return {{c}};
  if (is_space(c)) return U" ";
  for (const std::u32string& cased : {upper_case({&c, 1}), lower_case({&c, 1})}) {
    if (has_all(cased)) return cased;
  }
  if (is_accent(c) || is_invisible(c)) return U"";
  if (is_one_of(c, hyphens)) return tokenizer_.has(U'-') ? U"-" : U" ";
  if (is_one_of(c, separators)) return U" ";
  if (is_one_of(c, apostrophes)) return U"";
  if (is_one_of(c, double_quotes)) return tokenizer_.has(U'"') ? U"\"" : U"";
  if (is_symbol(c) || is_one_of(c, spoken)) return std::nullopt;
  if (const std::u32string parts = decompose(c); parts != std::u32string_view(&c, 1)) {
    std::u32string all;
    for (const char32_t part : parts) {
      const auto one = folded(part);
      if (!one) return std::nullopt;
      all += *one;
    }
    return all;
  }
  if (is_punctuation(c)) return U"";
  return std::nullopt;
}

std::string TextNormalizer::operator()(const std::string& text) const {
  if (how_ == TextNormalization::none) return text;
  const std::u32string wide = from_utf8(text);
  const std::u32string_view view = wide;
  std::u32string out;
  out.reserve(wide.size());
  Quotes quotes;
  for (size_t at = 0; at < wide.size(); ++at) {
    const char32_t c = wide[at];
    if (const size_t whole = tokenizer_.whole_token_at(view.substr(at)); whole > 0) {
      out += view.substr(at, whole);
      at += whole - 1;
    } else if (tokenizer_.has(c)) {
      out += c;
    } else if (is_one_of(c, apostrophes) && quotes.is_apostrophe(view, at) && apostrophe_) {
      out += *apostrophe_;
    } else if (const auto one =
                   is_accent(c) && !out.empty() ? compose(out.back(), c) : std::nullopt;
               one && tokenizer_.has(*one)) {
      out.back() = *one;
    } else {
      out += folded(c).value_or(std::u32string{c});
    }
  }
  out = with_single_spaces(out);
  return to_utf8(tokenizer_.in_lower_case() ? lower_case(out) : out);
}

}  // namespace flowqat::io

#include "io/text/text_normalizer.h"

#include <algorithm>

#include "io/files/error.h"
#include "io/text/characters.h"
#include "io/text/tags.h"
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

TextNormalizer::TextNormalizer(const Tokenizer& tokenizer, TextRules rules)
    : tokenizer_(tokenizer), rules_(rules) {
  // A phoneme is no letter that could take another form.
  if (tokenizer.kind() == TokenizerKind::phonemes) rules_.how = TextNormalization::none;
  if (rules_.how == TextNormalization::none) return;
  for (const char32_t c : apostrophes.substr(0, 3)) {
    if (!apostrophe_ && tokenizer.has(c)) apostrophe_ = c;
  }
  // Where texts become upper case by the tokenizer's own rule, that knows no Turkish.
  is_turkish_ = !tokenizer.in_lower_case() && ((tokenizer.has(U'i') && tokenizer.has(U'\u0131')) ||
                                               (tokenizer.has(U'I') && tokenizer.has(U'\u0130')));
  for (const std::string& token : tokenizer.tokens()) {
    const std::u32string wide = from_utf8(token);
    if (std::u32string parts = nfd(wide); parts != wide || wide.size() > 1) {
      composites_.emplace(std::move(parts), wide);
    }
  }
}

bool TextNormalizer::has_all(std::u32string_view text) const {
  return !text.empty() && std::ranges::all_of(text, [&](char32_t c) { return tokenizer_.has(c); });
}

std::u32string TextNormalizer::upper(std::u32string_view text) const {
  std::u32string out;
  for (const char32_t c : text) out += is_turkish_ && c == U'i' ? U"\u0130" : upper_case({&c, 1});
  return out;
}

std::u32string TextNormalizer::lower(std::u32string_view text) const {
  if (!is_turkish_) return lower_case(text);
  std::u32string out;
  for (const char32_t c : text) {
    out += c == U'I' ? U"\u0131" : c == U'\u0130' ? U"i" : lower_case({&c, 1});
  }
  return out;
}

std::optional<std::u32string> TextNormalizer::cased(char32_t c) const {
  // The capital that "ß" has of its own is rare; its upper case is "SS".
  if (c == U'ß' && tokenizer_.has(U'\u1e9e')) return U"\u1e9e";
  const std::u32string up = upper({&c, 1}), low = lower({&c, 1});
  // One way alone does not reach "ss" from "ß", or "SS" from its capital.
  for (const std::u32string& one : {up, low, upper(low), lower(up), lower(upper(low))}) {
    if (has_all(one)) return one;
  }
  return std::nullopt;
}

bool TextNormalizer::put_on_last(std::u32string& out, char32_t mark) const {
  if (!is_accent(mark) || out.empty()) return false;
  const auto one = compose(out.back(), mark);
  if (!one || !tokenizer_.has(*one)) return false;
  out.back() = *one;
  return true;
}

std::optional<std::u32string> TextNormalizer::folded(char32_t c) const {
  if (tokenizer_.has(c)) return {{c}};
  if (is_space(c)) return U" ";
  if (const auto one = cased(c)) return one;
  if (is_accent(c) || is_invisible(c)) return U"";
  if (is_one_of(c, hyphens)) return tokenizer_.has(U'-') ? U"-" : U" ";
  if (is_one_of(c, separators)) return U" ";
  if (is_one_of(c, apostrophes)) return U"";
  if (is_one_of(c, double_quotes)) return tokenizer_.has(U'"') ? U"\"" : U"";
  if (is_symbol(c) || is_one_of(c, spoken)) return std::nullopt;
  if (const std::u32string parts = decompose(c); parts != std::u32string_view(&c, 1)) {
    std::u32string all;
    for (const char32_t part : parts) {
      if (!tokenizer_.has(part) && put_on_last(all, part)) continue;
      const auto one = folded(part);
      if (!one) return std::nullopt;
      all += *one;
    }
    return all;
  }
  if (is_punctuation(c)) return U"";
  return std::nullopt;
}

std::u32string TextNormalizer::compose_one(std::u32string_view written) const {
  const bool is_plain = written.size() == 1 && (written[0] < 0x80 || tokenizer_.has(written[0]));
  if (is_plain) return std::u32string(written);
  const std::u32string together = nfc(written);
  if (together.size() < written.size() && has_all(together)) return together;
  if (has_all(written)) return std::u32string(written);
  const auto same = composites_.find(nfd(written));
  return same == composites_.end() ? together : same->second;
}

std::u32string TextNormalizer::composed(std::u32string_view text) const {
  std::u32string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    size_t end = at + tokenizer_.whole_token_at(text.substr(at));
    if (end > at) {
      out += text.substr(at, end - at);
    } else if (const size_t tag = tag_at(text.substr(at)); rules_.drop_tags && tag > 0) {
      out += U' ';
      end = at + tag;
    } else {
      for (end = at + 1; end < text.size() && joins_before(text[end]);) ++end;
      const std::u32string_view written = text.substr(at, end - at);
      out += rules_.how == TextNormalization::none ? written : compose_one(written);
    }
    at = end;
  }
  return out;
}

std::vector<std::string> TextNormalizer::tags(const std::string& text) const {
  std::vector<std::string> found;
  if (text.find_first_of("[{<") == text.npos) return found;
  const std::u32string wide = from_utf8(text);
  const std::u32string_view view = wide;
  for (size_t at = 0; at < view.size();) {
    const size_t whole = tokenizer_.whole_token_at(view.substr(at));
    const size_t tag = whole > 0 ? 0 : tag_at(view.substr(at));
    if (tag > 0) found.push_back(to_utf8(view.substr(at, tag)));
    at += std::max({whole, tag, size_t{1}});
  }
  return found;
}

std::string TextNormalizer::operator()(const std::string& text) const {
  if (rules_.how == TextNormalization::none) {
    if (!rules_.drop_tags || tags(text).empty()) return text;
    return to_utf8(with_single_spaces(composed(from_utf8(text))));
  }
  const auto once = [&](const std::string& given) {
    const std::u32string wide = composed(from_utf8(given));
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
      } else if (!put_on_last(out, c)) {
        out += folded(c).value_or(std::u32string{c});
      }
    }
    out = with_single_spaces(out);
    return to_utf8(tokenizer_.in_lower_case() ? lower_case(out) : out);
  };
  std::string result = once(text);
  // What stood between a letter and its mark may have gone: then they make one letter now.
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  for (int i = 0; i < 3 && !std::ranges::all_of(result, is_ascii); ++i) {
    std::string again = once(result);
    if (again == result) break;
    result = std::move(again);
  }
  return result;
}

}  // namespace flowqat::io

#include "io/text/vocabulary.h"

#include <algorithm>
#include <array>
#include <map>

#include "io/files/error.h"
#include "io/files/printable.h"
#include "io/text/characters.h"
#include "io/text/tags.h"
#include "io/text/unicode.h"

namespace flowqat::io {
namespace {

constexpr std::array<const char*, 4> case_names{"auto", "lower", "upper", "as-written"};
constexpr char32_t dotless = 0x131, dotted = 0x130;
/// In Turkish every third of them is one without or with the dot of its own; in other languages a
/// foreign name has one.
constexpr double turkish_share = 0.1;

/// Other shapes of the apostrophe, within words.
constexpr std::u32string_view apostrophes = U"'\u2019\u02bc\u2018\uff07`\u00b4\u201b";
/// Punctuation by Unicode's categories, but read out.
constexpr std::u32string_view spoken = U"%&@#\u2030\u2031\u00a7\u00b6\uff05\uff06\uff20\uff03";

bool is_one_of(char32_t c, std::u32string_view list) { return list.find(c) != list.npos; }

/// Without tags, which are counted.
std::u32string without_tags(std::u32string_view text, CharacterCounts& tags) {
  std::u32string out;
  for (size_t at = 0; at < text.size();) {
    const size_t tag = tag_at(text.substr(at));
    if (tag > 0) {
      ++tags[to_utf8(text.substr(at, tag))];
      out += U' ';
    } else {
      out += text[at];
    }
    at += std::max(tag, size_t{1});
  }
  return out;
}

using Counts = std::map<char32_t, int64_t>;

int64_t count_of(const Counts& counts, char32_t c) {
  const auto found = counts.find(c);
  return found == counts.end() ? 0 : found->second;
}

/// Brings characters to one case.
class Folding {
 public:
  Folding(const Counts& counts, LetterCase wanted) : case_(wanted) {
    const auto marked = count_of(counts, dotless) + count_of(counts, dotted);
    const auto all = marked + count_of(counts, U'i') + count_of(counts, U'I');
    is_turkish_ = static_cast<double>(marked) > turkish_share * static_cast<double>(all);
    if (case_ != LetterCase::automatic) return;
    bool has_lower = false, has_upper = false;
    for (const auto& [c, count] : counts) {
      has_lower = has_lower || upper_case({&c, 1}) != std::u32string_view(&c, 1);
      has_upper = has_upper || lower_case({&c, 1}) != std::u32string_view(&c, 1);
    }
    case_ = has_lower && has_upper ? LetterCase::lower : LetterCase::as_written;
  }

  bool is_turkish() const { return is_turkish_; }

  std::u32string operator()(char32_t c) const {
    if (!is_turkish_ && c == dotless) c = U'i';
    if (!is_turkish_ && c == dotted) c = U'I';
    if (case_ == LetterCase::lower) {
      if (is_turkish_ && c == U'I') return {dotless};
      if (is_turkish_ && c == dotted) return U"i";
      return lower_case({&c, 1});
    }
    if (case_ == LetterCase::upper) {
      if (is_turkish_ && c == U'i') return {dotted};
      return upper_case({&c, 1});
    }
    return {c};
  }

 private:
  LetterCase case_;
  bool is_turkish_ = false;
};

}  // namespace

LetterCase parse_letter_case(const std::string& text) {
  const auto found = std::ranges::find(case_names, text);
  if (found == case_names.end()) {
    throw Error(
        "expected a case of letters, \"auto\", \"lower\", \"upper\" or \"as-written\", "
        "found " +
        excerpt(text));
  }
  return static_cast<LetterCase>(found - case_names.begin());
}

std::vector<std::string> letter_case_names() { return {case_names.begin(), case_names.end()}; }

Vocabulary make_vocabulary(const std::vector<std::string>& texts, const VocabularyRules& rules) {
  const std::u32string keep = from_utf8(rules.keep);
  for (const char32_t c : keep) {
    if (is_space(c) || c == U'|') {
      throw Error(
          "the characters to keep: a space and \"|\" stand between words and are no tokens "
          "of their own");
    }
  }
  Vocabulary vocabulary;
  Counts written, folded;
  for (const std::string& text : texts) {
    const std::u32string wide = nfc(without_tags(from_utf8(text), vocabulary.tags));
    for (size_t at = 0; at < wide.size(); ++at) {
      char32_t c = wide[at];
      const bool in_word =
          at > 0 && at + 1 < wide.size() && is_letter(wide[at - 1]) && is_letter(wide[at + 1]);
      if (in_word && is_one_of(c, apostrophes) && !is_one_of(c, keep)) c = U'\'';
      const bool is_apostrophe = in_word && c == U'\'';
      const bool is_sign = is_symbol(c) || is_one_of(c, spoken);
      const bool goes = is_space(c) || is_invisible(c) || c == U'|' ||
                        (is_punctuation(c) && !is_apostrophe && !is_sign);
      if (!goes || is_one_of(c, keep)) ++written[c];
    }
  }
  const Folding fold(written, rules.letter_case);
  vocabulary.is_turkish = fold.is_turkish();
  for (const auto& [c, count] : written) {
    for (const char32_t one : nfc(fold(c))) folded[one] += count;
  }
  for (const auto& [c, count] : folded) {
    const std::string name = to_utf8({&c, 1});
    const bool is_sign = is_symbol(c) || is_one_of(c, spoken);
    if ((is_sign && !is_one_of(c, keep)) || count < rules.min_count) {
      vocabulary.left_out[name] = count;
    } else {
      vocabulary.characters.push_back(name);
      vocabulary.counts[name] = count;
    }
  }
  return vocabulary;
}

Tokenizer Vocabulary::tokenizer() const { return Tokenizer::of_characters(characters); }

}  // namespace flowqat::io

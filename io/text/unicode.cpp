#include "io/text/unicode.h"

#include <locale.h>
#include <wctype.h>

#include <algorithm>
#include <array>
#include <utility>

#include "io/files/error.h"

namespace flowqat::io {
namespace {

/// A character whose upper case is several characters.
struct Expansion {
  char32_t from;
  const char32_t* to;
};
/// Unicode's SpecialCasing.txt, unconditional upper-case mappings, by code point.
// clang-format off
constexpr std::array expansions = std::to_array<Expansion>({
    {0x00DF, U"\x0053\x0053"}, {0x0149, U"\x02BC\x004E"}, {0x01F0, U"\x004A\x030C"},
    {0x0390, U"\x0399\x0308\x0301"}, {0x03B0, U"\x03A5\x0308\x0301"}, {0x0587, U"\x0535\x0552"},
    {0x1E96, U"\x0048\x0331"}, {0x1E97, U"\x0054\x0308"}, {0x1E98, U"\x0057\x030A"},
    {0x1E99, U"\x0059\x030A"}, {0x1E9A, U"\x0041\x02BE"}, {0x1F50, U"\x03A5\x0313"},
    {0x1F52, U"\x03A5\x0313\x0300"}, {0x1F54, U"\x03A5\x0313\x0301"},
    {0x1F56, U"\x03A5\x0313\x0342"}, {0x1F80, U"\x1F08\x0399"}, {0x1F81, U"\x1F09\x0399"},
    {0x1F82, U"\x1F0A\x0399"}, {0x1F83, U"\x1F0B\x0399"}, {0x1F84, U"\x1F0C\x0399"},
    {0x1F85, U"\x1F0D\x0399"}, {0x1F86, U"\x1F0E\x0399"}, {0x1F87, U"\x1F0F\x0399"},
    {0x1F88, U"\x1F08\x0399"}, {0x1F89, U"\x1F09\x0399"}, {0x1F8A, U"\x1F0A\x0399"},
    {0x1F8B, U"\x1F0B\x0399"}, {0x1F8C, U"\x1F0C\x0399"}, {0x1F8D, U"\x1F0D\x0399"},
    {0x1F8E, U"\x1F0E\x0399"}, {0x1F8F, U"\x1F0F\x0399"}, {0x1F90, U"\x1F28\x0399"},
    {0x1F91, U"\x1F29\x0399"}, {0x1F92, U"\x1F2A\x0399"}, {0x1F93, U"\x1F2B\x0399"},
    {0x1F94, U"\x1F2C\x0399"}, {0x1F95, U"\x1F2D\x0399"}, {0x1F96, U"\x1F2E\x0399"},
    {0x1F97, U"\x1F2F\x0399"}, {0x1F98, U"\x1F28\x0399"}, {0x1F99, U"\x1F29\x0399"},
    {0x1F9A, U"\x1F2A\x0399"}, {0x1F9B, U"\x1F2B\x0399"}, {0x1F9C, U"\x1F2C\x0399"},
    {0x1F9D, U"\x1F2D\x0399"}, {0x1F9E, U"\x1F2E\x0399"}, {0x1F9F, U"\x1F2F\x0399"},
    {0x1FA0, U"\x1F68\x0399"}, {0x1FA1, U"\x1F69\x0399"}, {0x1FA2, U"\x1F6A\x0399"},
    {0x1FA3, U"\x1F6B\x0399"}, {0x1FA4, U"\x1F6C\x0399"}, {0x1FA5, U"\x1F6D\x0399"},
    {0x1FA6, U"\x1F6E\x0399"}, {0x1FA7, U"\x1F6F\x0399"}, {0x1FA8, U"\x1F68\x0399"},
    {0x1FA9, U"\x1F69\x0399"}, {0x1FAA, U"\x1F6A\x0399"}, {0x1FAB, U"\x1F6B\x0399"},
    {0x1FAC, U"\x1F6C\x0399"}, {0x1FAD, U"\x1F6D\x0399"}, {0x1FAE, U"\x1F6E\x0399"},
    {0x1FAF, U"\x1F6F\x0399"}, {0x1FB2, U"\x1FBA\x0399"}, {0x1FB3, U"\x0391\x0399"},
    {0x1FB4, U"\x0386\x0399"}, {0x1FB6, U"\x0391\x0342"}, {0x1FB7, U"\x0391\x0342\x0399"},
    {0x1FBC, U"\x0391\x0399"}, {0x1FC2, U"\x1FCA\x0399"}, {0x1FC3, U"\x0397\x0399"},
    {0x1FC4, U"\x0389\x0399"}, {0x1FC6, U"\x0397\x0342"}, {0x1FC7, U"\x0397\x0342\x0399"},
    {0x1FCC, U"\x0397\x0399"}, {0x1FD2, U"\x0399\x0308\x0300"}, {0x1FD3, U"\x0399\x0308\x0301"},
    {0x1FD6, U"\x0399\x0342"}, {0x1FD7, U"\x0399\x0308\x0342"}, {0x1FE2, U"\x03A5\x0308\x0300"},
    {0x1FE3, U"\x03A5\x0308\x0301"}, {0x1FE4, U"\x03A1\x0313"}, {0x1FE6, U"\x03A5\x0342"},
    {0x1FE7, U"\x03A5\x0308\x0342"}, {0x1FF2, U"\x1FFA\x0399"}, {0x1FF3, U"\x03A9\x0399"},
    {0x1FF4, U"\x038F\x0399"}, {0x1FF6, U"\x03A9\x0342"}, {0x1FF7, U"\x03A9\x0342\x0399"},
    {0x1FFC, U"\x03A9\x0399"}, {0xFB00, U"\x0046\x0046"}, {0xFB01, U"\x0046\x0049"},
    {0xFB02, U"\x0046\x004C"}, {0xFB03, U"\x0046\x0046\x0049"}, {0xFB04, U"\x0046\x0046\x004C"},
    {0xFB05, U"\x0053\x0054"}, {0xFB06, U"\x0053\x0054"}, {0xFB13, U"\x0544\x0546"},
    {0xFB14, U"\x0544\x0535"}, {0xFB15, U"\x0544\x053B"}, {0xFB16, U"\x054E\x0546"},
    {0xFB17, U"\x0544\x053D"},
});
// clang-format on

/// The C library's character tables, independent of the process's locale.
locale_t tables() {
  static const locale_t locale = [] {
    const locale_t made = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (made == nullptr) throw Error("the locale C.UTF-8 is missing on this system; install it");
    return made;
  }();
  return locale;
}

wint_t wide(char32_t c) { return static_cast<wint_t>(c); }

/// First and last of runs of characters that are looked past when it is asked whether a word ends:
/// Unicode's Case_Ignorable for apostrophes, accents and other marks of the scripts that have case.
constexpr std::array<std::pair<char32_t, char32_t>, 35> marks{
    {{0x27, 0x27},     {0x2e, 0x2e},     {0x3a, 0x3a},     {0x5e, 0x5e},     {0x60, 0x60},
     {0xa8, 0xa8},     {0xad, 0xad},     {0xaf, 0xaf},     {0xb4, 0xb4},     {0xb7, 0xb8},
     {0x2b0, 0x36f},   {0x374, 0x375},   {0x37a, 0x37a},   {0x384, 0x385},   {0x387, 0x387},
     {0x483, 0x489},   {0x1ab0, 0x1ace}, {0x1dc0, 0x1dff}, {0x1fbd, 0x1fbd}, {0x1fbf, 0x1fc1},
     {0x1fcd, 0x1fcf}, {0x1fdd, 0x1fdf}, {0x1fed, 0x1fef}, {0x1ffd, 0x1ffe}, {0x200b, 0x200f},
     {0x2018, 0x2019}, {0x2024, 0x2024}, {0x2027, 0x2027}, {0x202a, 0x202e}, {0x2060, 0x2064},
     {0x20d0, 0x20f0}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xff07, 0xff07}, {0xff0e, 0xff0e}}};

bool is_mark(char32_t c) {
  return std::any_of(marks.begin(), marks.end(),
                     [c](const auto& run) { return c >= run.first && c <= run.second; });
}

bool is_cased(char32_t c) {
  return iswlower_l(wide(c), tables()) != 0 || iswupper_l(wide(c), tables()) != 0;
}

/// The Unicode Standard, table 3-17, Final_Sigma.
bool ends_word(std::u32string_view text, size_t at) {
  size_t before = at, behind = at + 1;
  while (before > 0 && is_mark(text[before - 1])) --before;
  while (behind < text.size() && is_mark(text[behind])) ++behind;
  return before > 0 && is_cased(text[before - 1]) &&
         (behind == text.size() || !is_cased(text[behind]));
}

/// Bytes of the UTF-8 character that starts with `lead`; 0 if none does.
size_t sequence_bytes(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

}  // namespace

std::u32string from_utf8(std::string_view text) {
  constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  std::u32string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const size_t bytes = sequence_bytes(lead);
    bool sound = bytes > 0 && at + bytes <= text.size();
    char32_t c = bytes <= 1 ? lead : lead & (0x7fu >> bytes);
    for (size_t i = 1; sound && i < bytes; ++i) {
      const auto next = static_cast<unsigned char>(text[at + i]);
      sound = (next & 0xc0) == 0x80;
      c = c << 6 | (next & 0x3fu);
    }
    if (!sound || c < smallest[bytes] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
      throw Error("expected UTF-8 text, found byte " + std::to_string(lead) + " at offset " +
                  std::to_string(at) + "; convert it to UTF-8");
    }
    out += c;
    at += bytes;
  }
  return out;
}

std::string to_utf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (c >> shift & 0x3f)); };
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xc0 | c >> 6);
      tail(0);
    } else if (c < 0x10000) {
      out += static_cast<char>(0xe0 | c >> 12);
      tail(6), tail(0);
    } else {
      out += static_cast<char>(0xf0 | c >> 18);
      tail(12), tail(6), tail(0);
    }
  }
  return out;
}

std::u32string upper_case(std::u32string_view text) {
  std::u32string out;
  for (const char32_t c : text) {
    const auto found = std::lower_bound(expansions.begin(), expansions.end(), c,
                                        [](const Expansion& e, char32_t x) { return e.from < x; });
    if (found != expansions.end() && found->from == c) {
      out += found->to;
    } else {
      out += static_cast<char32_t>(towupper_l(wide(c), tables()));
    }
  }
  return out;
}

std::u32string lower_case(std::u32string_view text) {
  constexpr char32_t capital_sigma = 0x3a3, final_sigma = 0x3c2, capital_i_with_dot = 0x130;
  std::u32string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == capital_sigma && ends_word(text, i)) {
      out += final_sigma;
    } else if (text[i] == capital_i_with_dot) {
      out += U"i\x0307";
    } else {
      out += static_cast<char32_t>(towlower_l(wide(text[i]), tables()));
    }
  }
  return out;
}

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
         c == 0x205f || c == 0x3000;
}

std::u32string_view strip_left(std::u32string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

std::u32string_view strip_right(std::u32string_view text) {
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace flowqat::io

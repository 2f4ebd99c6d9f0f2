#include "io/text/characters.h"

#include <utf8proc.h>

#include <array>
#include <cstdio>
#include <iterator>
#include <vector>

#include "io/text/unicode.h"

namespace flowqat::io {
namespace {

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

}  // namespace

std::u32string decompose(char32_t c) {
  std::array<utf8proc_int32_t, 32> parts{};  // the longest, U+FDFA, has 18
  int last_class = 0;                        // read only where graphemes are asked for
  const utf8proc_ssize_t count = utf8proc_decompose_char(
      static_cast<utf8proc_int32_t>(c), parts.data(), std::ssize(parts),
      static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT), &last_class);
  if (count < 1 || count > std::ssize(parts)) return {c};
  return {parts.begin(), parts.begin() + count};
}

std::optional<char32_t> compose(char32_t letter, char32_t mark) {
  std::array<utf8proc_int32_t, 2> pair{static_cast<utf8proc_int32_t>(letter),
                                       static_cast<utf8proc_int32_t>(mark)};
  const utf8proc_ssize_t length = utf8proc_normalize_utf32(
      pair.data(), 2, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (length != 1) return std::nullopt;
  return static_cast<char32_t>(pair[0]);
}

namespace {

/// In canonical order, with room for all.
std::vector<utf8proc_int32_t> canonical_parts(std::u32string_view text) {
  const std::string bytes = to_utf8(text);
  const auto* begin = reinterpret_cast<const utf8proc_uint8_t*>(bytes.data());
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE);
  std::vector<utf8proc_int32_t> parts(bytes.size() * 4 + 16);
  const utf8proc_ssize_t count =
      utf8proc_decompose(begin, std::ssize(bytes), parts.data(), std::ssize(parts), options);
  if (count < 0 || count > std::ssize(parts)) return {text.begin(), text.end()};
  parts.resize(static_cast<size_t>(count));
  return parts;
}

}  // namespace

std::u32string nfd(std::u32string_view text) {
  const auto parts = canonical_parts(text);
  return {parts.begin(), parts.end()};
}

std::u32string nfc(std::u32string_view text) {
  auto parts = canonical_parts(text);
  const utf8proc_ssize_t count =
      utf8proc_normalize_utf32(parts.data(), std::ssize(parts),
                               static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (count < 0) return std::u32string(text);
  return {parts.begin(), parts.begin() + count};
}

bool joins_before(char32_t c) {
  if (c < 0x300) return false;
  const utf8proc_category_t found = category(c);
  return (found >= UTF8PROC_CATEGORY_MN && found <= UTF8PROC_CATEGORY_ME) ||
         (c >= 0x1160 && c <= 0x11ff) || (c >= 0xd7b0 && c <= 0xd7fb);
}

bool is_letter(char32_t c) {
  const utf8proc_category_t found = category(c);
  return found >= UTF8PROC_CATEGORY_LU && found <= UTF8PROC_CATEGORY_LO;
}

bool is_punctuation(char32_t c) {
  const utf8proc_category_t found = category(c);
  return found >= UTF8PROC_CATEGORY_PC && found <= UTF8PROC_CATEGORY_PO;
}

bool is_symbol(char32_t c) {
  const utf8proc_category_t found = category(c);
  return found >= UTF8PROC_CATEGORY_SM && found <= UTF8PROC_CATEGORY_SO;
}

bool is_accent(char32_t c) {
  // Unicode's blocks of combining diacritical marks.
  return (c >= 0x300 && c <= 0x36f) || (c >= 0x1ab0 && c <= 0x1aff) ||
         (c >= 0x1dc0 && c <= 0x1dff) || (c >= 0x20d0 && c <= 0x20ff) ||
         (c >= 0xfe20 && c <= 0xfe2f);
}

bool is_invisible(char32_t c) {
  const utf8proc_category_t found = category(c);
  return (found == UTF8PROC_CATEGORY_CC && !is_space(c)) || found == UTF8PROC_CATEGORY_CF ||
         (c >= 0xfe00 && c <= 0xfe0f);
}

std::string character_name(char32_t c) {
  if (c > 0x20 && c < 0x7f) return {static_cast<char>(c)};
  char code[16];
  std::snprintf(code, sizeof code, "U+%04X", static_cast<unsigned>(c));
  const utf8proc_category_t found = category(c);
  const bool is_mark = found >= UTF8PROC_CATEGORY_MN && found <= UTF8PROC_CATEGORY_ME;
  const bool is_seen = !is_space(c) && !is_mark && found != UTF8PROC_CATEGORY_CN &&
                       found < UTF8PROC_CATEGORY_CC && c != 0xfffc;
  return is_seen ? to_utf8({&c, 1}) + " (" + code + ")" : code;
}

std::string character_name(const std::string& character) {
  const std::u32string wide = from_utf8(character);
  if (wide.size() != 1) return "\"" + character + "\"";
  return character_name(wide[0]);
}

}  // namespace flowqat::io

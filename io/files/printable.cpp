#include "io/files/printable.h"

#include <nlohmann/json.hpp>

namespace flowqat::io {
namespace {

bool moves_cursor(char32_t c) {
  return c < 0x20 || (0x7f <= c && c < 0xa0) || (0x202a <= c && c <= 0x202e) ||
         (0x2066 <= c && c <= 0x2069);
}

std::string cleaned(std::string_view text, std::string_view kept) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const Utf8Character c = first_character(text);
    const bool is_kept = c.code < 0x20 && kept.find(text[0]) != kept.npos;
    clean += c.is_valid && (is_kept || !moves_cursor(c.code)) ? text.substr(0, c.bytes) : "?";
    text.remove_prefix(c.bytes);
  }
  return clean;
}

}  // namespace

Utf8Character first_character(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  char32_t code = lead & (0xffu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fu);
  }
  const bool is_overlong = code < (bytes == 4 ? 0x10000u : bytes == 3 ? 0x800u : 0x80u);
  if (is_overlong || code > 0x10ffff || (0xd800 <= code && code <= 0xdfff)) return {};
  return {code, bytes, true};
}

std::string printable(std::string_view text) { return cleaned(text, ""); }

std::string printable_lines(std::string_view text) { return cleaned(text, "\n\t"); }

std::string excerpt(const std::string& text, size_t limit_bytes) {
  std::string shown = text;
  if (text.size() > limit_bytes) {
    size_t end = limit_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    // Bytes that are no UTF-8 may have no beginning of a character among them.
    shown = text.substr(0, end + 4 > limit_bytes ? end : limit_bytes) + "...";
  }
  return printable(
      nlohmann::json(shown).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace flowqat::io

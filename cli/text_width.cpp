#include "cli/text_width.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace flowqat::cli {
namespace {

struct Range {
  char32_t first, last;
};

// What a file's name may well hold; not all of Unicode's tables.
constexpr std::array<Range, 8> combining{{{0x300, 0x36f},
                                          {0x483, 0x489},
                                          {0x591, 0x5bd},
                                          {0x64b, 0x65f},
                                          {0x200b, 0x200f},
                                          {0x20d0, 0x20f0},
                                          {0xfe00, 0xfe0f},
                                          {0xfe20, 0xfe2f}}};
constexpr std::array<Range, 10> wide{{{0x1100, 0x115f},
                                      {0x2e80, 0x303e},
                                      {0x3041, 0xa4cf},
                                      {0xac00, 0xd7a3},
                                      {0xf900, 0xfaff},
                                      {0xfe30, 0xfe6f},
                                      {0xff00, 0xff60},
                                      {0xffe0, 0xffe6},
                                      {0x1f300, 0x1faff},
                                      {0x20000, 0x3fffd}}};

template <size_t count>
bool is_among(const std::array<Range, count>& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& range) { return range.first <= c && c <= range.last; });
}

using Character = io::Utf8Character;

int width_of(const Character& c) {
  if (!c.is_valid) return 1;
  if (is_among(combining, c.code)) return 0;
  return is_among(wide, c.code) ? 2 : 1;
}

}  // namespace

int width_of(std::string_view text) {
  int columns = 0;
  while (!text.empty()) {
    const Character c = io::first_character(text);
    columns += width_of(c);
    text.remove_prefix(c.bytes);
  }
  return columns;
}

std::string cut_to(std::string_view text, int columns) {
  if (width_of(text) <= columns) return std::string(text);
  const std::string_view dots = "...";
  int left = columns - static_cast<int>(dots.size());
  if (left < 0) return std::string(static_cast<size_t>(std::max(columns, 0)), '.');
  std::string cut;
  while (!text.empty()) {
    const Character c = io::first_character(text);
    left -= width_of(c);
    if (left < 0) break;
    cut += text.substr(0, c.bytes);
    text.remove_prefix(c.bytes);
  }
  return cut + std::string(dots);
}

}  // namespace flowqat::cli

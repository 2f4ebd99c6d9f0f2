/// UTF-8, and the character properties that Python's str methods go by.
#pragma once
#include <string>
#include <string_view>

namespace flowqat::io {

/// Code points of UTF-8 `text`. Throws Error at a byte that does not belong there.
std::u32string from_utf8(std::string_view text);
std::string to_utf8(std::u32string_view text);

/// As str.upper() and str.lower(): "ß" becomes "SS", a final sigma stays one.
std::u32string upper_case(std::u32string_view text);
std::u32string lower_case(std::u32string_view text);

/// As str.isspace() of one character.
bool is_space(char32_t c);
/// As str.lstrip(), str.rstrip().
std::u32string_view strip_left(std::u32string_view text);
std::u32string_view strip_right(std::u32string_view text);

}  // namespace flowqat::io

/// Text that comes from files, made fit for messages and terminals.
#pragma once
#include <string>
#include <string_view>

namespace flowqat::io {

/// A character and the bytes that it takes; where they are no UTF-8, one byte and no character.
struct Utf8Character {
  char32_t code = 0;
  size_t bytes = 1;
  bool is_valid = false;
};
/// The first of a text that is not empty.
Utf8Character first_character(std::string_view text);

/// `text` without what a terminal would obey instead of showing it: control characters (C0, DEL,
/// C1), those that turn the direction of writing, and bytes that are no UTF-8 become "?".
std::string printable(std::string_view text);
/// The same of what may have several lines: their ends and tabs stay.
std::string printable_lines(std::string_view text);

/// The beginning of `text` in quotes as JSON has it, fit for a message whatever it holds.
std::string excerpt(const std::string& text, size_t limit_bytes = 60);

}  // namespace flowqat::io

/// Texts for people, of bounded length whatever a file holds.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace flowqat {

/// No message is longer in bytes: what is in it may come from a file.
inline constexpr size_t most_message_bytes = 8000;
/// The same of a value that a message quotes.
inline constexpr size_t most_shown_bytes = 120;

/// `text`, or where it is longer than `most_bytes` its beginning and its end, which says what to
/// do, with " ... " between them. No character of UTF-8 is cut in two.
std::string shortened(std::string text, size_t most_bytes = most_message_bytes);

/// What an exception of this program says: shortened, and with `\0` for a NUL, which would end it.
std::string message(std::string text);

/// A value as it stands in a file, shortened. Bytes that are no UTF-8 are replaced.
std::string shown(const nlohmann::json& value);
std::string shown(const nlohmann::ordered_json& value);

}  // namespace flowqat

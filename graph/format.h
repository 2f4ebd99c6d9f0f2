#pragma once
#include <cstdio>
#include <string>

namespace flowqat::graph {

/// printf into a string, for numbers and short texts: what is beyond 511 characters is cut off.
template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[512];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

/// What comes from files, as a part of a line: characters that would end it or move on in it become
/// "?".
inline std::string one_line(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = '?';
  }
  return text;
}

}  // namespace flowqat::graph

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

}  // namespace flowqat::graph

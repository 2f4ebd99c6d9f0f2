#include "cli/markdown.h"

#include <cctype>

namespace flowqat::cli {

std::string escape_markdown(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string("|<*_").find(c) != std::string::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string sentence(const std::string& text) {
  std::string whole = escape_markdown(text);
  if (whole.empty()) return whole;
  // A name such as wav2vec2 or int8 stays as it is.
  const std::string first = whole.substr(0, whole.find(' '));
  if (first.find_first_of("0123456789") == std::string::npos) {
    whole[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(whole[0])));
  }
  return whole.ends_with('.') ? whole : whole + ".";
}

}  // namespace flowqat::cli

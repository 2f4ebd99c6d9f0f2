/// What the pages that the program prints have in common.
#pragma once
#include <string>

namespace flowqat::cli {

/// A text within a table of Markdown, or any paragraph, as it stands.
std::string escape_markdown(const std::string& text);

/// What a line of a listing says, as a sentence of its own.
std::string sentence(const std::string& text);

}  // namespace flowqat::cli

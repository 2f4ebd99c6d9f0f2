/// How wide text is on a terminal.
#pragma once
#include <string>
#include <string_view>

#include "io/files/printable.h"

namespace flowqat::cli {

/// The columns that UTF-8 text takes: none for combining marks, two for wide characters (Chinese,
/// Japanese, Korean, emoji), one for each byte that is no UTF-8.
int width_of(std::string_view text);

using io::printable;
using io::printable_lines;

/// As much of `text` as fits into `columns`, with "..." behind it where that is not all.
std::string cut_to(std::string_view text, int columns);

}  // namespace flowqat::cli

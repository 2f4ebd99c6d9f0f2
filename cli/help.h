/// Help texts, from what commands declare.
#pragma once
#include <string>
#include <vector>

#include "cli/command.h"

namespace flowqat::cli {

/// What --help prints for the last of `path`, which leads there from the program.
std::string help_text(const std::vector<const Command*>& path);

/// A page with all commands, in Markdown.
std::string help_page(const Command& program);

}  // namespace flowqat::cli

/// The values of arguments: from the words of the command line, and in words for the help.
#pragma once
#include <string>
#include <vector>

#include "cli/command.h"

namespace flowqat::cli {

/// Puts what was given into the target. Throws GraphError, which begins with `name`, for what the
/// argument does not allow.
void set_value(const Argument& argument, const std::string& name,
               const std::vector<std::string>& given);

/// The default as the help shows it, or nothing.
std::string default_text(const Argument& argument);

}  // namespace flowqat::cli

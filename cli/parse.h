/// From the words of a command line to the command that it names.
#pragma once
#include <string>
#include <vector>

#include "cli/command.h"

namespace flowqat::cli {

/// What was typed.
struct Parsed {
  std::vector<const Command*> path;  ///< the program, then the command, then its part
  bool wants_help = false;           ///< --help or -h; then no value was looked at
};

/// Fills in the arguments' targets. Throws GraphError for a command line that `program` does not
/// understand, with a suggestion where a word is like one that it would.
Parsed parse(const Command& program, int argc, const char* const* argv);

}  // namespace flowqat::cli

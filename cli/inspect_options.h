/// The options of `inspect`.
#pragma once
#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace flowqat::cli {

/// The arguments outlive the parsing.
CLI::App* add_inspect(CLI::App& app, InspectArguments& arguments);

}  // namespace flowqat::cli

/// The options of `quantize` and `sensitivity`.
#pragma once
#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace flowqat::cli {

/// The arguments outlive the parsing.
CLI::App* add_quantize(CLI::App& app, QuantizeArguments& arguments);
CLI::App* add_sensitivity(CLI::App& app, SensitivityArguments& arguments);

}  // namespace flowqat::cli

#pragma once
#include <filesystem>
#include <string>

#include "cli/terminal.h"

namespace flowqat::cli {

/// The folder of the model that a command was given: that folder, or for a model's id on the Hub
/// its snapshot in the Hub's cache, fetched first if it is not there. Throws GraphError for a
/// folder that is not there, RunError for what the Hub does not give, Interrupted.
std::filesystem::path folder_of_model(const std::string& given, Terminal& terminal);

}  // namespace flowqat::cli

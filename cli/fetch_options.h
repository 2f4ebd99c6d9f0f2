/// The options of `fetch`.
#pragma once
#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace flowqat::cli {

/// The commands below `fetch`.
struct FetchCommands {
  const CLI::App *librispeech, *model;
};

/// Declares `fetch librispeech` and `fetch model`, which fill in the arguments.
FetchCommands add_fetch(CLI::App& app, FetchLibriSpeechArguments& librispeech,
                        FetchModelArguments& model);

}  // namespace flowqat::cli

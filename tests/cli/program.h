#pragma once
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/temporary_folder.h"

namespace flowqat::cli::testing {

/// What a call of the program did.
struct Outcome {
  int status = -1;
  std::string out, err;
  double wall_s = 0;
};

/// Runs `build/flowqat ARGUMENTS` through the shell, from `folder`.
inline Outcome call(const std::string& arguments, const std::string& folder = FLOWQAT_SOURCE_DIR) {
  const flowqat::testing::TemporaryFolder temporary;
  const std::string err = (temporary.path() / "err").string(),
                    out = (temporary.path() / "out").string();
  const std::string command = "cd '" + folder + "' && '" FLOWQAT_BUILD_DIR "/flowqat' " +
                              arguments + " >'" + out + "' 2>'" + err + "'";
  const auto read = [](const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  };
  const auto started = std::chrono::steady_clock::now();
  const int raw = std::system(command.c_str());
  Outcome outcome;
  outcome.wall_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  outcome.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  outcome.out = read(out);
  outcome.err = read(err);
  return outcome;
}

}  // namespace flowqat::cli::testing

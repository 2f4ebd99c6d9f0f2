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

/// Runs `build/flowqat ARGUMENTS` through the shell, from `folder`. `redirected`: where standard
/// output goes instead of into the outcome, ">/dev/full".
inline Outcome call(const std::string& arguments, const std::string& folder = FLOWQAT_SOURCE_DIR,
                    const std::string& redirected = "") {
  const flowqat::testing::TemporaryFolder temporary;
  const std::string err = (temporary.path() / "err").string(),
                    out = (temporary.path() / "out").string();
  const std::string command = "cd '" + folder + "' && '" FLOWQAT_BUILD_DIR "/flowqat' " +
                              arguments + (redirected.empty() ? " >'" + out + "'" : redirected) +
                              " 2>'" + err + "'";
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

/// Starts the program, sends SIGINT as soon as a file that the pattern `sign` matches holds
/// something, and returns the status.
inline int call_and_interrupt(const std::string& arguments, const std::string& err,
                              const std::string& sign) {
  const std::string script = err + ".sh";
  std::ofstream(script)
      << "cd '" FLOWQAT_SOURCE_DIR "'\n'" FLOWQAT_BUILD_DIR "/flowqat' " << arguments << " 2>'"
      << err << "' &\nfor i in $(seq 600); do for s in " << sign
      << "; do [ -s \"$s\" ] && break 2; done; sleep 0.05; done\nkill -INT $!\nwait $!\n";
  // Job control gives the program in the background the default answer to SIGINT.
  const int raw = std::system(("bash -m '" + script + "'").c_str());
  return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
}

}  // namespace flowqat::cli::testing

#pragma once
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
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
  double cpu_s = 0;  ///< of the program and the shell that started it
};

/// Runs `build/flowqat ARGUMENTS` through the shell, from `folder`. `redirected`: where standard
/// output goes instead of into the outcome, ">/dev/full".
/// `environment`: "NAME=VALUE", before the program.
inline Outcome call(const std::string& arguments, const std::string& folder = FLOWQAT_SOURCE_DIR,
                    const std::string& redirected = "", const std::string& environment = "") {
  const flowqat::testing::TemporaryFolder temporary;
  const std::string err = (temporary.path() / "err").string(),
                    out = (temporary.path() / "out").string();
  const std::string command =
      "cd '" + folder + "' && " + environment + " '" FLOWQAT_BUILD_DIR "/flowqat' " + arguments +
      (redirected.empty() ? " >'" + out + "'" : redirected) + " 2>'" + err + "'";
  const auto read = [](const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  };
  const auto spent_s = [] {
    rusage children{};
    ::getrusage(RUSAGE_CHILDREN, &children);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(children.ru_utime) + seconds(children.ru_stime);
  };
  const double before_s = spent_s();
  const int raw = std::system(command.c_str());
  Outcome outcome;
  outcome.cpu_s = spent_s() - before_s;
  outcome.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  outcome.out = read(out);
  outcome.err = read(err);
  return outcome;
}

/// Starts the program, sends it a signal as soon as a file that the pattern `sign` matches holds
/// something, and returns the status.
inline int call_and_interrupt(const std::string& arguments, const std::string& err,
                              const std::string& sign, const std::string& signal = "INT") {
  const std::string script = err + ".sh";
  std::ofstream(script) << "cd '" FLOWQAT_SOURCE_DIR "'\n'" FLOWQAT_BUILD_DIR "/flowqat' "
                        << arguments << " 2>'" << err << "' &\nfor i in $(seq 600); do for s in "
                        << sign << "; do [ -s \"$s\" ] && break 2; done; sleep 0.05; done\nkill -"
                        << signal << " $!\nwait $!\n";
  // Job control gives the program in the background the default answer to SIGINT.
  const int raw = std::system(("bash -m '" + script + "'").c_str());
  return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
}

}  // namespace flowqat::cli::testing

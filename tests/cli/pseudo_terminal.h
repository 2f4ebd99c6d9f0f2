/// Runs the program on a terminal of its own, and reads what it draws there.
#pragma once
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

namespace flowqat::cli::testing {

struct Drawn {
  int status = -1;
  std::string text;                   ///< all that came, control characters included
  std::vector<std::string> statuses;  ///< the lines that were drawn over one another
};

/// What stands between "go to the line's beginning and wipe it" and whatever comes next.
inline std::vector<std::string> statuses_of(const std::string& text) {
  const std::string wipe = "\r\033[K";
  std::vector<std::string> found;
  for (size_t at = 0; (at = text.find(wipe, at)) != std::string::npos;) {
    at += wipe.size();
    // A wiped line that is followed by one that stays is no status: that one ends with \n.
    const size_t end = text.find_first_of("\r\n", at);
    if (end == std::string::npos || text.compare(end, wipe.size(), wipe) != 0) continue;
    if (end > at) found.push_back(text.substr(at, end - at));
  }
  return found;
}

/// `build/flowqat ARGUMENTS` through the shell, from the source folder, on a terminal of `columns`
/// columns; `variables` are set before it, "COLUMNS=40".
inline Drawn call_on_terminal(const std::string& arguments, int columns,
                              const std::string& variables = "") {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = 24;
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, &size);
  Drawn drawn;
  if (child < 0) return drawn;
  if (child == 0) {
    const std::string command = "cd '" FLOWQAT_SOURCE_DIR "' && unset COLUMNS; " + variables +
                                " exec '" FLOWQAT_BUILD_DIR "/flowqat' " + arguments;
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  std::array<char, 4096> buffer{};
  for (ssize_t count; (count = read(terminal, buffer.data(), buffer.size())) > 0;) {
    drawn.text.append(buffer.data(), static_cast<size_t>(count));
  }
  close(terminal);
  int raw = 0;
  waitpid(child, &raw, 0);
  drawn.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  drawn.statuses = statuses_of(drawn.text);
  return drawn;
}

}  // namespace flowqat::cli::testing

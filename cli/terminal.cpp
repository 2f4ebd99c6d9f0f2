#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "cli/progress_line.h"
#include "cli/standard_streams.h"
#include "cli/text_width.h"

namespace flowqat::cli {
namespace {

constexpr std::chrono::milliseconds kTerminalInterval{100}, kLogInterval{10'000};

/// Asked each time: the window may have another size by now.
int terminal_columns() {
  const char* text = std::getenv("COLUMNS");
  const int wanted = text != nullptr ? std::atoi(text) : 0;
  if (wanted > 0) return wanted;
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace

Terminal::Terminal() : is_terminal_(isatty(STDERR_FILENO) == 1) {
  if (!is_terminal_) last_ = std::chrono::steady_clock::now();
}

Terminal::~Terminal() { wipe(); }

void Terminal::wipe() {
  if (has_status_) std::cerr << "\r\033[K" << std::flush;
  has_status_ = false;
}

void Terminal::say(const std::string& line) {
  wipe();
  std::cerr << printable(line) << std::endl;
}

void Terminal::progress(const graph::Progress& progress) {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < (is_terminal_ ? kTerminalInterval : kLogInterval)) return;
  last_ = now;
  if (!is_terminal_) {
    std::cerr << progress_text(progress) << std::endl;
    return;
  }
  // Some terminals go to the next line as soon as the last column is written.
  std::cerr << "\r\033[K" << progress_line(progress, terminal_columns() - 1) << std::flush;
  has_status_ = true;
}

void Terminal::result(const std::string& text) {
  wipe();
  write_standard_output(printable_lines(text));
}

}  // namespace flowqat::cli

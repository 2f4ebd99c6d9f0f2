#include "cli/terminal.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>

#include "graph/output_error.h"

namespace flowqat::cli {
namespace {

constexpr std::chrono::milliseconds kTerminalInterval{100}, kLogInterval{10'000};

}  // namespace

Terminal::Terminal()
    : is_terminal_(isatty(STDERR_FILENO) == 1), last_(std::chrono::steady_clock::now()) {}

Terminal::~Terminal() { wipe(); }

void Terminal::wipe() {
  if (has_status_) std::cerr << "\r\033[K" << std::flush;
  has_status_ = false;
}

void Terminal::say(const std::string& line) {
  wipe();
  std::cerr << line << std::endl;
}

void Terminal::progress(const std::string& status) {
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < (is_terminal_ ? kTerminalInterval : kLogInterval)) return;
  last_ = now;
  if (!is_terminal_) {
    std::cerr << status << std::endl;
    return;
  }
  std::cerr << "\r\033[K" << status << std::flush;
  has_status_ = true;
}

void Terminal::result(const std::string& text) {
  wipe();
  errno = 0;
  std::cout << text << std::flush;
  if (!std::cout) {
    throw graph::OutputError(std::string("standard output: cannot be written: ") +
                             (errno != 0 ? std::strerror(errno) : "it is closed"));
  }
}

}  // namespace flowqat::cli

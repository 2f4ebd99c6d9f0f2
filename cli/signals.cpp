#include "cli/signals.h"

#include <csignal>

namespace flowqat::cli {
namespace {

std::atomic<int> stop_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may not take a lock");

void note(int signal_number) { stop_signal = signal_number; }

}  // namespace

const std::atomic<int>& catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = note;
  // Back to the default after the first: whoever asks twice does not want to wait.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A file that grows beyond a limit is an error that can be told, not the program's end.
  std::signal(SIGXFSZ, SIG_IGN);
  return stop_signal;
}

}  // namespace flowqat::cli

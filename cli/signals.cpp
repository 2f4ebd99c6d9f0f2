#include "cli/signals.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string_view>

namespace flowqat::cli {
namespace {

std::atomic<int> stop_signal{0}, signals_seen{0};
std::atomic<bool> waits_for_save{false};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may not take a lock");

constexpr std::string_view kSaving =
    "flowqat: ends as soon as what was computed is saved; one more signal ends it at once\n";

void note(int signal_number) {
  // The kernel repeats this one every second.
  if (signal_number == SIGXCPU && signals_seen > 0) return;
  const int seen = ++signals_seen;
  if (seen == 1) {
    stop_signal = signal_number;
  } else if (seen == 2 && waits_for_save) {
    const int code = errno;  // of what was interrupted
    [[maybe_unused]] const ssize_t told = ::write(STDERR_FILENO, kSaving.data(), kSaving.size());
    errno = code;
  } else {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    sigaction(signal_number, &action, nullptr);
    ::raise(signal_number);  // takes effect on the way out of here
  }
}

bool is_ignored(int signal_number) {
  struct sigaction action {};
  return sigaction(signal_number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

const std::atomic<int>& catch_stop_signals(bool saves) {
  if (saves) waits_for_save = true;
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  for (const int signal_number : {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU}) {
    if (signal_number == SIGHUP && is_ignored(SIGHUP)) continue;
    sigaction(signal_number, &action, nullptr);
  }
  return stop_signal;
}

}  // namespace flowqat::cli

#include "cli/standard_streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "graph/output_error.h"

namespace flowqat::cli {
namespace {

[[noreturn]] void fail(int code) {
  // How settle_standard_streams() marks one that was closed.
  throw graph::OutputError(std::string("standard output: cannot be written: ") +
                           (code == EBADF ? "it is closed" : std::strerror(code)));
}

}  // namespace

void settle_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest number that is free, which is this stream's: those below it are open by now.
    const char* place = stream == STDIN_FILENO ? "/dev/full" : "/dev/null";
    [[maybe_unused]] const int opened = ::open(place, stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void write_standard_output(const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (count >= 0) {
      done += static_cast<size_t>(count);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      // Another program made the pipe or terminal that it shares with this one non-blocking.
      pollfd room{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
      ::poll(&room, 1, /*timeout_ms=*/-1);
    } else if (errno != EINTR) {
      fail(errno);
    }
  }
}

void close_standard_output() {
  if (::close(STDOUT_FILENO) != 0 && errno != EBADF && errno != EINTR) fail(errno);
}

}  // namespace flowqat::cli

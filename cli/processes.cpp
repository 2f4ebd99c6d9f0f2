#include "cli/processes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "cli/commands.h"
#include "graph/error.h"

namespace flowqat::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// The others find out by themselves, say who is gone and end, within some seconds.
constexpr std::chrono::seconds kPatience{8};
constexpr int kStopSignals[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU};

[[noreturn]] void fail(const char* what) {
  throw graph::RunError(std::string("--processes: ") + what + ": " +
                        std::generic_category().message(errno));
}

/// Those of this program, but --processes and its number.
std::vector<std::string> own_arguments() {
  std::ifstream command_line("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(command_line, argument, '\0');) {
    if (argument.starts_with("--processes=")) continue;
    if (argument == "--processes") {
      std::getline(command_line, argument, '\0');
      continue;
    }
    arguments.push_back(argument);
  }
  if (arguments.empty()) throw graph::RunError("--processes: /proc/self/cmdline cannot be read");
  return arguments;
}

/// One that nobody uses at this moment.
int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (socket < 0 || ::bind(socket, plain, size) != 0 || ::getsockname(socket, plain, &size) != 0) {
    fail("no port of this machine could be had");
  }
  ::close(socket);
  return ntohs(address.sin_port);
}

class Processes {
 public:
  explicit Processes(int count) : all_(static_cast<size_t>(count)) {
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    for (const int signal_number : kStopSignals) sigaddset(&watched, signal_number);
    if (sigprocmask(SIG_BLOCK, &watched, &before_) != 0) fail("signals cannot be watched");
    signals_ = ::signalfd(-1, &watched, SFD_CLOEXEC);
    if (signals_ < 0) fail("signals cannot be watched");
    const std::vector<std::string> arguments = own_arguments();
    const std::string port = std::to_string(free_port());
    for (size_t rank = 0; rank < all_.size(); ++rank) start(rank, arguments, port);
  }

  int wait() {
    while (living_ > 0) {
      std::vector<pollfd> polled{{.fd = signals_, .events = POLLIN, .revents = 0}};
      for (const Process& process : all_) {
        if (process.errors >= 0) {
          polled.push_back({.fd = process.errors, .events = POLLIN, .revents = 0});
        }
      }
      if (::poll(polled.data(), polled.size(), 500) < 0 && errno != EINTR) fail("poll");
      for (size_t i = 1; i < polled.size(); ++i) {
        if (polled[i].revents != 0) pass_on(polled[i].fd);
      }
      if ((polled[0].revents & POLLIN) != 0) hear_signal();
      bury();
      if (ends_at_ && Clock::now() > *ends_at_) send(SIGKILL);
    }
    for (const Process& process : all_) {
      if (process.errors >= 0) pass_on(process.errors);
    }
    return status_;
  }

 private:
  struct Process {
    pid_t id = 0;     ///< 0: it has ended
    int errors = -1;  ///< what it writes to standard error comes out here
    std::string line = {};
  };

  void start(size_t rank, const std::vector<std::string>& arguments, const std::string& port) {
    int ends[2] = {-1, -1};
    if (rank > 0 && ::pipe2(ends, O_CLOEXEC) != 0) fail("a pipe cannot be made");
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.data()));
    argv.push_back(nullptr);
    const pid_t parent = ::getpid();
    const pid_t id = ::fork();
    if (id < 0) fail("a process cannot be started");
    if (id > 0) {
      if (rank > 0) {
        ::close(ends[1]);
        ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
      }
      all_[rank] = {.id = id, .errors = ends[0]};
      ++living_;
      return;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(kFailed);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
    const std::string number = std::to_string(rank), size = std::to_string(all_.size());
    for (const char* name : {"RANK", "LOCAL_RANK"}) ::setenv(name, number.c_str(), 1);
    for (const char* name : {"WORLD_SIZE", "LOCAL_WORLD_SIZE"}) ::setenv(name, size.c_str(), 1);
    ::setenv("MASTER_ADDR", "127.0.0.1", 1);
    ::setenv("MASTER_PORT", port.c_str(), 1);
    for (const char* name : {"TORCHELASTIC_USE_AGENT_STORE", "TORCHELASTIC_RESTART_COUNT"}) {
      ::unsetenv(name);
    }
    if (rank > 0) {
      const int nothing = ::open("/dev/null", O_WRONLY);
      ::dup2(nothing, STDOUT_FILENO);
      ::dup2(ends[1], STDERR_FILENO);
    }
    ::execv("/proc/self/exe", argv.data());
    ::_exit(kFailed);
  }

  /// Whole lines, each with its rank.
  void pass_on(int errors) {
    for (size_t rank = 0; rank < all_.size(); ++rank) {
      Process& process = all_[rank];
      if (process.errors != errors) continue;
      char piece[4096];
      ssize_t count = 0;
      while ((count = ::read(errors, piece, sizeof piece)) > 0) {
        process.line.append(piece, static_cast<size_t>(count));
      }
      const bool is_over = count == 0;
      if (is_over && !process.line.empty() && process.line.back() != '\n') process.line += '\n';
      for (size_t end; (end = process.line.find('\n')) != std::string::npos;) {
        const std::string name = "rank " + std::to_string(rank) + ": ";
        const std::string line = process.line.substr(0, end + 1);
        std::cerr << (line.find(name) == std::string::npos ? name : "") << line << std::flush;
        process.line.erase(0, end + 1);
      }
      if (is_over) {
        ::close(errors);
        process.errors = -1;
      }
    }
  }

  void hear_signal() {
    signalfd_siginfo heard{};
    if (::read(signals_, &heard, sizeof heard) != sizeof heard) return;
    if (heard.ssi_signo == SIGCHLD) return;
    // A terminal sends its own to all of its foreground processes itself.
    if (heard.ssi_code == SI_KERNEL) return;
    send(static_cast<int>(heard.ssi_signo));
  }

  void send(int signal_number) {
    for (const Process& process : all_) {
      if (process.id > 0) ::kill(process.id, signal_number);
    }
  }

  void bury() {
    for (size_t rank = 0; rank < all_.size(); ++rank) {
      Process& process = all_[rank];
      int status = 0;
      if (process.id <= 0 || ::waitpid(process.id, &status, WNOHANG) != process.id) continue;
      process.id = 0;
      --living_;
      if (process.errors >= 0) pass_on(process.errors);
      const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      if (code == 0 || status_ != 0) continue;
      status_ = code;
      ends_at_ = Clock::now() + kPatience;
      if (!WIFEXITED(status)) {
        std::cerr << "flowqat: rank " << rank << " was killed by signal " << WTERMSIG(status)
                  << " (" << ::strsignal(WTERMSIG(status)) << "); the others are ended\n";
      }
    }
  }

  std::vector<Process> all_;
  sigset_t before_{};
  int signals_ = -1;
  size_t living_ = 0;
  int status_ = 0;  ///< the first failure's
  std::optional<Clock::time_point> ends_at_;
};

}  // namespace

int run_processes(int count) { return Processes(count).wait(); }

}  // namespace flowqat::cli

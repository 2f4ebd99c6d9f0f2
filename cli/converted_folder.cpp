#include "cli/converted_folder.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>
#include <vector>

#include "cli/commands.h"
#include "graph/error.h"
#include "graph/output_error.h"
#include "io/files/write_error.h"

namespace flowqat::cli {
namespace {

namespace fs = std::filesystem;

fs::path temporary_folder() {
  const fs::path parent = fs::temp_directory_path();
  std::string path = (parent / "flowqat-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) {
    throw io::WriteError(parent,
                         "no folder can be made: " + std::generic_category().message(errno) +
                             "; TMPDIR names another place");
  }
  return path;
}

struct Ended {
  int status = 0;    ///< of waitpid()
  std::string said;  ///< to standard error
};

/// What comes out of a pipe until its other end is closed.
std::string all_of(int pipe) {
  std::string all;
  std::array<char, 4096> part{};
  while (true) {
    const ssize_t got = ::read(pipe, part.data(), part.size());
    if (got > 0) all.append(part.data(), static_cast<size_t>(got));
    if (got == 0 || (got < 0 && errno != EINTR)) return all;
  }
}

/// Runs this program once more, to its end.
Ended run_self(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.data()));
  argv.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::system_error(errno, std::generic_category(), "a pipe to the conversion");
  }
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  pid_t child = 0;
  const int refused =
      ::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  Ended ended;
  if (refused == 0) {
    ended.said = all_of(ends[0]);
    while (::waitpid(child, &ended.status, 0) < 0 && errno == EINTR) {
    }
  }
  ::close(ends[0]);
  if (refused != 0) {
    throw std::system_error(refused, std::generic_category(), "the conversion cannot be started");
  }
  return ended;
}

/// The last line, without the program's name, which whoever tells it puts before it again.
std::string reason(std::string said) {
  while (said.ends_with('\n')) said.pop_back();
  said.erase(0, said.rfind('\n') + 1);
  const std::string name = "flowqat: ";
  return said.starts_with(name) ? said.substr(name.size()) : said;
}

}  // namespace

ConvertedFolder::ConvertedFolder(const fs::path& fake_quantized) : parent_(temporary_folder()) {
  try {
    const Ended ended =
        run_self({"flowqat", "convert", fake_quantized.string(), "--out", path().string()});
    if (WIFSIGNALED(ended.status)) {
      throw graph::RunError(fake_quantized.string() +
                            ": its conversion to int8 was ended by signal " +
                            std::to_string(WTERMSIG(ended.status)));
    }
    const int status = WEXITSTATUS(ended.status);
    if (status > 128) throw graph::Interrupted(status - 128);
    if (status == kCannotWrite) throw graph::OutputError(reason(ended.said));
    if (status != kDone) throw graph::RunError(reason(ended.said));
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(parent_, ignored);
    throw;
  }
}

ConvertedFolder::~ConvertedFolder() {
  std::error_code ignored;
  fs::remove_all(parent_, ignored);
}

}  // namespace flowqat::cli

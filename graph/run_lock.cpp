#include "graph/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

#include "graph/error.h"
#include "graph/format.h"
#include "graph/output_error.h"
#include "graph/run_files.h"

namespace flowqat::graph {
namespace {

struct flock whole_file(short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

/// "process 4711 on the machine HOST, since 2026-05-01 12:00:00"
std::string self() {
  char host[256] = "", since[64] = "";
  ::gethostname(host, sizeof host - 1);
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S", &local);
  return format("process %ld on the machine %s, since %s", static_cast<long>(::getpid()), host,
                since);
}

[[noreturn]] void refuse(const std::filesystem::path& run, int descriptor) {
  char holder[512];
  const ssize_t count = ::pread(descriptor, holder, sizeof holder, 0);
  std::string text(holder, count > 0 ? static_cast<size_t>(count) : 0);
  text = text.substr(0, text.find('\n'));
  throw GraphError(run.string() + ": is being written by another run (" +
                   (text.empty() ? "which has only just begun" : text) +
                   "); wait until that ends, or choose another folder with --out");
}

bool is_held_by_another(int descriptor) {
  struct flock lock = whole_file(F_WRLCK);
  return ::fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool is_held(int code) { return code == EAGAIN || code == EACCES; }

}  // namespace

RunLock::RunLock(const std::filesystem::path& run) {
  const std::filesystem::path file = run / kLockFile;
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) {
    throw OutputError(file.string() +
                      ": cannot be written: " + std::generic_category().message(errno));
  }
  try {
    take(run);
  } catch (...) {
    release();
    throw;
  }
}

void RunLock::take(const std::filesystem::path& run) {
  folder_ = ::open(run.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_ >= 0 && ::flock(folder_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    refuse(run, descriptor_);
  }
  // Of the open file, not of the process: nobody who opens and closes it elsewhere lets go of it.
  struct flock lock = whole_file(F_WRLCK);
  if (::fcntl(descriptor_, F_OFD_SETLK, &lock) != 0) {
    if (is_held(errno)) refuse(run, descriptor_);
    why_not_ = std::generic_category().message(errno);
    return;
  }
  const std::string text = self() + "\n";
  if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, text.data(), text.size(), 0) < 0) {
    throw OutputError((run / kLockFile).string() +
                      ": cannot be written: " + std::generic_category().message(errno));
  }
}

void RunLock::release() {
  for (int* const descriptor : {&descriptor_, &folder_}) {
    if (*descriptor >= 0) ::close(std::exchange(*descriptor, -1));
  }
}

RunLock::~RunLock() { release(); }

void check_lock(const std::filesystem::path& run) {
  const int descriptor = ::open((run / kLockFile).c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return;
  try {
    if (is_held_by_another(descriptor)) refuse(run, descriptor);
  } catch (...) {
    ::close(descriptor);
    throw;
  }
  ::close(descriptor);
}

bool is_locked(const std::filesystem::path& run) {
  const int descriptor = ::open((run / kLockFile).c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool held = is_held_by_another(descriptor);
  ::close(descriptor);
  return held;
}

}  // namespace flowqat::graph

#include "io/files/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

#include "io/files/write_error.h"

namespace flowqat::io {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const char* what) {
  const int code = errno;
  throw WriteError(path, std::string(what) + ": " + std::strerror(code));
}

/// Unique among threads and processes, so that two writers of one file cannot mix their bytes.
std::filesystem::path temporary_name(const std::filesystem::path& path) {
  static std::atomic<unsigned> counter{0};
  return path.string() + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
}

/// A file that is removed again unless it was put in place.
class Temporary {
 public:
  explicit Temporary(const std::filesystem::path& target)
      : target_(target), name_(temporary_name(target)) {
    descriptor_ = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0) fail(target_, "cannot be written");
  }
  ~Temporary() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!in_place_) ::unlink(name_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  int descriptor() const { return descriptor_; }

  void put_in_place() {
    if (::fsync(descriptor_) != 0) fail(target_, "cannot be synced to the disk");
    const int closed = ::close(descriptor_);
    descriptor_ = -1;
    if (closed != 0) fail(target_, "cannot be written");
    if (::rename(name_.c_str(), target_.c_str()) != 0) fail(target_, "cannot be put in place");
    in_place_ = true;
  }

 private:
  const std::filesystem::path& target_;
  std::filesystem::path name_;
  int descriptor_ = -1;
  bool in_place_ = false;
};

}  // namespace

void sync_folder_of(const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail(folder, "cannot be opened");
  const int synced = ::fsync(descriptor);
  const int code = errno;
  ::close(descriptor);
  errno = code;
  if (synced != 0 && code != EINVAL) fail(folder, "cannot be synced to the disk");
}

void FileSink::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(target_, "cannot be written");
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

void FileSink::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(FileSink&)>& fill) {
  Temporary temporary(path);
  FileSink sink(temporary.descriptor(), path);
  fill(sink);
  temporary.put_in_place();
  sync_folder_of(path);
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  write_file_atomically(path, [content](FileSink& sink) { sink.write(content); });
}

}  // namespace flowqat::io

#include "cli/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "graph/error.h"
#include "graph/output_error.h"

namespace flowqat::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path) {
  throw graph::OutputError(path + ": cannot be written: " + std::strerror(errno));
}

/// Its bytes on the disk, before its name says that they are there.
void sync(const std::string& path, const std::string& shown) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool is_synced = file >= 0 && ::fsync(file) == 0;
  const int code = errno;
  if (file >= 0) ::close(file);
  errno = code;
  if (!is_synced) fail(shown);
}

}  // namespace

void refuse_existing(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (fs::exists(path)) {
      throw graph::GraphError(path + ": is already there; choose another name, or add --overwrite");
    }
  }
}

OutputFile::OutputFile(const std::string& path, bool overwrite)
    : path_(path), partial_(path), overwrite_(overwrite) {
  if (path.empty()) return;
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (fs::is_directory(status)) {
    throw graph::GraphError(path + ": expected the name of a file to write, found a folder");
  }
  int flags = O_WRONLY | O_CLOEXEC;
  if (!fs::exists(status) || fs::is_regular_file(status)) {
    if (!overwrite) refuse_existing({path});
    partial_ = path + ".partial-" + std::to_string(::getpid());
    flags |= O_CREAT | O_TRUNC;
  }
  const int file = ::open(partial_.c_str(), flags, 0666);
  if (file < 0) fail(path_);
  ::close(file);
}

OutputFile::~OutputFile() {
  if (partial_ != path_) ::unlink(partial_.c_str());
}

void OutputFile::keep() {
  if (partial_ == path_) return;
  sync(partial_, path_);
  // Another program may have written it meanwhile.
  if (!overwrite_) refuse_existing({path_});
  if (::rename(partial_.c_str(), path_.c_str()) != 0) fail(path_);
  partial_ = path_;
}

void OutputFile::write(const std::string& text) {
  if (path_.empty()) return;
  const int file = ::open(partial_.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (file < 0) fail(path_);
  for (std::string_view left = text; !left.empty();) {
    const ssize_t count = ::write(file, left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int code = std::exchange(errno, 0);
      ::close(file);
      errno = code;
      fail(path_);
    }
    left.remove_prefix(static_cast<size_t>(count));
  }
  if (::close(file) != 0) fail(path_);
  keep();
}

}  // namespace flowqat::cli

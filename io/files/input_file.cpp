#include "io/files/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "io/files/error.h"

namespace flowqat::io {

InputFile::InputFile(const std::filesystem::path& path, int64_t first_byte, int64_t bytes)
    : path_(path), first_byte_(first_byte) {
  if (path.native().find('\0') != std::string::npos) {
    throw Error(path, "cannot be opened: its name holds a NUL, which no file's name can");
  }
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    // No fault of the file's.
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
      throw std::system_error(errno, std::generic_category(), path.string() + ": cannot be opened");
    }
    throw Error(path, std::string("cannot be opened: ") + std::strerror(errno));
  }
  // The destructor does not run for an object whose constructor throws.
  const auto fail = [this](const std::string& what) {
    ::close(descriptor_);
    throw Error(path_, what);
  };
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) {
    fail(std::string("cannot be examined: ") + std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) fail("expected a file, found a folder");
  if (!S_ISREG(status.st_mode)) fail("expected a regular file, found a device, pipe or socket");
  if (status.st_size == 0) fail("the file is empty; copy it again from its source");
  if (status.st_size < first_byte + bytes) {
    fail("expected a member that ends at byte " + std::to_string(first_byte + bytes) +
         ", found a file of " + std::to_string(status.st_size) +
         " bytes; it was cut off or replaced since it was indexed");
  }
  size_bytes_ = bytes > 0 ? bytes : status.st_size;
}

InputFile::~InputFile() { ::close(descriptor_); }

size_t InputFile::read(int64_t offset_bytes, std::span<uint8_t> bytes) const {
  bytes = bytes.first(static_cast<size_t>(
      std::clamp<int64_t>(size_bytes_ - offset_bytes, 0, static_cast<int64_t>(bytes.size()))));
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(descriptor_, bytes.data() + done, bytes.size() - done,
                                  first_byte_ + offset_bytes + static_cast<int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error(path_, std::string("cannot be read: ") + std::strerror(errno));
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

}  // namespace flowqat::io

#include "io/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/error.h"

namespace flowqat::io {

InputFile::InputFile(const std::filesystem::path& path) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
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
  size_bytes_ = status.st_size;
  if (size_bytes_ == 0) fail("the file is empty; copy it again from its source");
}

InputFile::~InputFile() { ::close(descriptor_); }

size_t InputFile::read(int64_t offset_bytes, std::span<uint8_t> bytes) const {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(descriptor_, bytes.data() + done, bytes.size() - done,
                                  offset_bytes + static_cast<int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error(path_, std::string("cannot be read: ") + std::strerror(errno));
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

}  // namespace flowqat::io

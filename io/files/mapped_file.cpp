#include "io/files/mapped_file.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "io/files/error.h"
#include "io/files/input_file.h"

namespace flowqat::io {

MappedFile map_file(const std::filesystem::path& path) {
  const InputFile file(path);
  const auto size = static_cast<size_t>(file.size_bytes());
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (start == MAP_FAILED) {
    throw Error(path, std::string("cannot be mapped into memory: ") + std::strerror(errno));
  }
  std::shared_ptr<const void> owner(
      start, [size](const void* mapped) { ::munmap(const_cast<void*>(mapped), size); });
  return {{static_cast<const std::byte*>(start), size}, std::move(owner)};
}

}  // namespace flowqat::io

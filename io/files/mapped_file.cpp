#include "io/files/mapped_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
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

void give_pages_back(std::span<const std::byte> part) {
  static const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(part.data());
  const uintptr_t first = (begin + page - 1) / page * page;
  const uintptr_t behind = (begin + part.size()) / page * page;
  if (first < behind) ::madvise(reinterpret_cast<void*>(first), behind - first, MADV_DONTNEED);
}

}  // namespace flowqat::io

/// A regular file opened for reading.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace flowqat::io {

class InputFile {
 public:
  /// All of the file, or with `bytes` > 0 that many from `first_byte` on, which then read as if
  /// they were a file of their own. Throws Error when the file is missing, unreadable, empty, a
  /// folder or device, or ends before those bytes.
  explicit InputFile(const std::filesystem::path& path, int64_t first_byte = 0, int64_t bytes = 0);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  int descriptor() const { return descriptor_; }
  int64_t size_bytes() const { return size_bytes_; }

  /// Fills `bytes` from `offset_bytes` on; returns how many there were before the file's end.
  /// Throws Error when the disk fails.
  size_t read(int64_t offset_bytes, std::span<uint8_t> bytes) const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  int64_t first_byte_ = 0, size_bytes_ = 0;
};

}  // namespace flowqat::io

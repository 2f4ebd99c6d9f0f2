/// A regular file opened for reading.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace flowqat::io {

class InputFile {
 public:
  /// Throws Error when the file is missing, unreadable, empty, or a folder or device.
  explicit InputFile(const std::filesystem::path& path);
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
  int64_t size_bytes_ = 0;
};

}  // namespace flowqat::io

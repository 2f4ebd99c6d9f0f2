/// A file's bytes at any place, for those who walk through a container's structure.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "io/files/input_file.h"

namespace flowqat::io {

class ContainerBytes {
 public:
  explicit ContainerBytes(const InputFile& file) : file_(file) {}

  const InputFile& file() const { return file_; }
  int64_t size() const { return file_.size_bytes(); }

  /// `count` bytes from `offset` on, at most 4 KiB; fewer at the file's end. Valid until the next
  /// call.
  std::span<const uint8_t> at(int64_t offset, size_t count);
  /// Whether `text` stands at `offset`.
  bool has(int64_t offset, std::string_view text);
  /// The number in the `count` bytes (at most 8) at `offset`; bytes behind the file's end are 0.
  uint64_t big_endian(int64_t offset, int count);
  uint64_t little_endian(int64_t offset, int count);

 private:
  const InputFile& file_;
  std::vector<uint8_t> buffer_;
  int64_t begin_ = 0;  ///< of the buffer, in the file
};

}  // namespace flowqat::io

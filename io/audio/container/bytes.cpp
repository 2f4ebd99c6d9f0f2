#include "io/audio/container/bytes.h"

#include <algorithm>

namespace flowqat::io {
namespace {

constexpr size_t buffer_bytes = 1 << 14;

}  // namespace

std::span<const uint8_t> ContainerBytes::at(int64_t offset, size_t count) {
  if (offset < 0 || offset >= size()) return {};
  count = static_cast<size_t>(std::min(static_cast<int64_t>(count), size() - offset));
  const int64_t end = begin_ + static_cast<int64_t>(buffer_.size());
  if (offset < begin_ || offset + static_cast<int64_t>(count) > end) {
    buffer_.resize(std::max(buffer_bytes, count));
    buffer_.resize(file_.read(offset, buffer_));
    begin_ = offset;
  }
  const std::span<const uint8_t> there =
      std::span(buffer_).subspan(std::min(static_cast<size_t>(offset - begin_), buffer_.size()));
  return there.first(std::min(count, there.size()));
}

bool ContainerBytes::has(int64_t offset, std::string_view text) {
  const auto bytes = at(offset, text.size());
  return std::equal(bytes.begin(), bytes.end(), text.begin(), text.end(),
                    [](uint8_t byte, char c) { return byte == static_cast<uint8_t>(c); });
}

uint64_t ContainerBytes::big_endian(int64_t offset, int count) {
  const auto bytes = at(offset, static_cast<size_t>(count));
  uint64_t value = 0;
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    value = value << 8 | (i < bytes.size() ? bytes[i] : 0u);
  }
  return value;
}

uint64_t ContainerBytes::little_endian(int64_t offset, int count) {
  const auto bytes = at(offset, static_cast<size_t>(count));
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

}  // namespace flowqat::io

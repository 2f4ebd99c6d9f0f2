#include "io/audio/flac/reader.h"

#include <algorithm>
#include <cstring>
#include <variant>

#include "io/audio/flac/bits.h"
#include "io/files/pool.h"

namespace flowqat::io {
namespace {

/// Most utterances are read at once.
constexpr size_t piece_bytes = 1 << 20;
constexpr size_t most_idle_readers = 64;

Pool<std::monostate, FlacReader>& pool() {
  static Pool<std::monostate, FlacReader> readers(most_idle_readers);
  return readers;
}

}  // namespace

std::unique_ptr<FlacReader> FlacReader::take() {
  auto reader = pool().take({});
  return reader ? std::move(reader) : std::make_unique<FlacReader>();
}

void FlacReader::give_back(std::unique_ptr<FlacReader> reader) {
  if (reader->room_bytes_ > 4 * piece_bytes) return;
  pool().give_back({}, std::move(reader));
}

void FlacReader::start(const InputFile& file, int64_t begin, int64_t end) {
  file_ = &file;
  offset_ = begin;
  end_ = end;
  begin_ = filled_ = 0;
}

bool FlacReader::read_more() {
  if (offset_ >= end_) return false;
  const size_t left = filled_ - begin_;
  const auto wanted = static_cast<size_t>(
      std::min(static_cast<int64_t>(std::max(piece_bytes, left)), end_ - offset_));
  if (left + wanted > room_bytes_) {
    auto room = std::make_unique_for_overwrite<uint8_t[]>(left + wanted + FlacBits::padding_bytes);
    std::copy_n(room_.get() + begin_, left, room.get());
    room_ = std::move(room);
    room_bytes_ = left + wanted;
  } else {
    std::memmove(room_.get(), room_.get() + begin_, left);
  }
  const size_t count = file_->read(offset_, {room_.get() + left, wanted});
  offset_ = count < wanted ? end_ : offset_ + static_cast<int64_t>(count);
  begin_ = 0;
  filled_ = left + count;
  std::memset(room_.get() + filled_, 0, FlacBits::padding_bytes);
  return count > 0;
}

const FlacBlock* FlacReader::next(const FlacHeader& header, const char** wrong) {
  *wrong = nullptr;
  if (begin_ == filled_ && !read_more()) return nullptr;
  for (;;) {
    size_t frame_bytes = 0;
    bool ran_out = false;
    *wrong =
        block_.decode({room_.get() + begin_, filled_ - begin_}, header, &frame_bytes, &ran_out);
    if (!*wrong) {
      begin_ += frame_bytes;
      return &block_;
    }
    if (!ran_out || !read_more()) return nullptr;
  }
}

}  // namespace flowqat::io

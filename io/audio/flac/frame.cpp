#include "io/audio/flac/frame.h"

extern "C" {
#include <libavutil/crc.h>
}

#include <algorithm>
#include <cstring>
#include <vector>

namespace flowqat::io {
namespace {

constexpr int64_t window_bytes = 1 << 16;

/// Reads whole bytes and knows when there were too few.
class Bytes {
 public:
  explicit Bytes(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  uint64_t take(int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; ++i) {
      if (position_ == bytes_.size()) {
        short_ = true;
        return 0;
      }
      value = value << 8 | bytes_[position_++];
    }
    return value;
  }
  size_t position() const { return position_; }
  bool ran_out() const { return short_; }

 private:
  std::span<const uint8_t> bytes_;
  size_t position_ = 0;
  bool short_ = false;
};

/// UTF-8's scheme, carried on to 36 bits; none for bytes that it does not allow.
std::optional<int64_t> coded_number(Bytes& bytes) {
  const auto first = static_cast<uint32_t>(bytes.take(1));
  if (first < 0x80) return first;
  int more = 0;
  while (more < 7 && (first & (0x40u >> more)) != 0) ++more;
  if (more == 0 || more > 6) return std::nullopt;
  auto value = static_cast<int64_t>(first & (0x3fu >> more));
  for (int i = 0; i < more; ++i) {
    const auto next = static_cast<uint32_t>(bytes.take(1));
    if ((next & 0xc0) != 0x80) return std::nullopt;
    value = value << 6 | (next & 0x3f);
  }
  return value;
}

/// Section 9.1.1; 0 where the code is reserved.
int block_samples(uint32_t code, Bytes& bytes) {
  if (code == 1) return 192;
  if (code >= 2 && code <= 5) return 576 << (code - 2);
  if (code == 6) return static_cast<int>(bytes.take(1)) + 1;
  if (code == 7) return static_cast<int>(bytes.take(2)) + 1;
  if (code >= 8) return 256 << (code - 8);
  return 0;
}

/// Section 9.1.2; 0 where the frame leaves it to STREAMINFO, -1 where it is forbidden.
int rate_hz(uint32_t code, Bytes& bytes) {
  constexpr int rates_hz[] = {0,     88200, 176400, 192000, 8000,  16000,
                              22050, 24000, 32000,  44100,  48000, 96000};
  if (code < 12) return rates_hz[code];
  if (code == 12) return 1000 * static_cast<int>(bytes.take(1));
  if (code == 13) return static_cast<int>(bytes.take(2));
  if (code == 14) return 10 * static_cast<int>(bytes.take(2));
  return -1;
}

struct FoundFrame {
  int64_t offset_bytes = 0;  ///< in the file or the bytes that were searched
  FlacFrameHeader header;
};

/// The first frame header in `bytes` that begins in [begin, end).
std::optional<FoundFrame> find_frame(std::span<const uint8_t> bytes, size_t begin, size_t end,
                                     const FlacHeader& stream) {
  while (begin < end) {
    const void* hit = std::memchr(bytes.data() + begin, 0xff, end - begin);
    if (hit == nullptr) return std::nullopt;
    const auto position = static_cast<size_t>(static_cast<const uint8_t*>(hit) - bytes.data());
    if (const auto header = parse_flac_frame_header(bytes.subspan(position), stream)) {
      return FoundFrame{static_cast<int64_t>(position), *header};
    }
    begin = position + 1;
  }
  return std::nullopt;
}

/// The frames of a file, sought by their headers alone.
class FrameSearch {
 public:
  FrameSearch(const InputFile& file, const FlacHeader& stream, int64_t frames_bytes)
      : file_(file), stream_(stream), frames_bytes_(frames_bytes) {}

  /// The first frame whose header begins in [begin, end) of the file.
  std::optional<FoundFrame> first(int64_t begin, int64_t end) {
    for (; begin < end; begin += window_bytes) {
      if (auto found = in_window(begin, std::min(window_bytes, end - begin), 0)) return found;
    }
    return std::nullopt;
  }

  /// The last one of the file; none where it is far from the end.
  std::optional<FoundFrame> last() {
    const int64_t begin = std::max(frames_bytes_, file_.size_bytes() - most_tail_bytes);
    for (int64_t end = file_.size_bytes(); end > begin; end -= window_bytes) {
      const int64_t from = std::max(begin, end - window_bytes);
      auto found = in_window(from, end - from, 0);
      if (!found) continue;
      while (auto next = in_window(from, end - from, found->offset_bytes + 1 - from)) found = next;
      return found;
    }
    return std::nullopt;
  }

 private:
  /// Further from the end the last frame is not looked for: the longest that encoders write, and a
  /// tag.
  static constexpr int64_t most_tail_bytes = int64_t{1} << 21;

  /// The first frame whose header begins in the `bytes` bytes from `begin` on, but not before
  /// `from` of these.
  std::optional<FoundFrame> in_window(int64_t begin, int64_t bytes, int64_t from) {
    if (begin != loaded_begin_) {
      window_.resize(window_bytes + longest_flac_frame_header_bytes);
      loaded_bytes_ = file_.read(begin, window_);
      loaded_begin_ = begin;
    }
    auto found = find_frame({window_.data(), loaded_bytes_}, static_cast<size_t>(from),
                            std::min(static_cast<size_t>(bytes), loaded_bytes_), stream_);
    if (found) found->offset_bytes += begin;
    return found;
  }

  const InputFile& file_;
  const FlacHeader& stream_;
  int64_t frames_bytes_;
  std::vector<uint8_t> window_;
  int64_t loaded_begin_ = -1;
  size_t loaded_bytes_ = 0;
};

}  // namespace

std::optional<FlacFrameHeader> parse_flac_frame_header(std::span<const uint8_t> bytes,
                                                       const FlacHeader& header) {
  Bytes reader(bytes.first(std::min(bytes.size(), longest_flac_frame_header_bytes)));
  const auto start = static_cast<uint32_t>(reader.take(4));
  if (start >> 17 != 0x7ffc || (start & 1) != 0) return std::nullopt;
  const bool variable = (start >> 16 & 1) != 0;
  const uint32_t channel_code = start >> 4 & 15, bits_code = start >> 1 & 7;
  const int channels =
      channel_code < 8 ? static_cast<int>(channel_code) + 1 : (channel_code <= 10 ? 2 : 0);
  constexpr int bits[] = {0, 8, 12, -1, 16, 20, 24, 32};
  if (channels != header.channels) return std::nullopt;
  if (bits[bits_code] != 0 && bits[bits_code] != header.bits) return std::nullopt;
  const auto number = coded_number(reader);
  if (!number) return std::nullopt;
  const int samples = block_samples(start >> 12 & 15, reader);
  const int rate = rate_hz(start >> 8 & 15, reader);
  if (samples == 0 || samples > header.max_block_samples) return std::nullopt;
  if (rate != 0 && rate != header.rate_hz) return std::nullopt;
  const size_t checked = reader.position();
  const auto checksum = static_cast<uint8_t>(reader.take(1));
  if (reader.ran_out()) return std::nullopt;
  if (av_crc(av_crc_get_table(AV_CRC_8_ATM), 0, bytes.data(), checked) != checksum) {
    return std::nullopt;
  }
  return FlacFrameHeader{.number = *number,
                         .counts_samples = variable,
                         .samples = samples,
                         .channel_code = static_cast<int>(channel_code),
                         .header_bytes = reader.position()};
}

std::optional<FlacPart> find_flac_part(const InputFile& file, const FlacHeader& header,
                                       int64_t frames_bytes, int64_t first_sample,
                                       int64_t samples) {
  FrameSearch search(file, header, frames_bytes);
  const auto first = search.first(frames_bytes, frames_bytes + 1);
  if (!first) return std::nullopt;
  const FlacNumbering numbering(first->header);
  // A frame that begins at or before the first sample, and is not far from it. To go there at once
  // is to trust the numbers of all frames before it.
  FoundFrame low = *first;
  int64_t high = file.size_bytes();
  if (high - low.offset_bytes > window_bytes) {
    const auto last = search.last();
    if (header.samples == 0 || !last || numbering.end(last->header) != header.samples) {
      return std::nullopt;
    }
  }
  while (high - low.offset_bytes > window_bytes) {
    const int64_t middle = low.offset_bytes + (high - low.offset_bytes) / 2;
    const auto found = search.first(middle, high);
    if (found && numbering.position(found->header) <= first_sample) {
      if (numbering.position(found->header) < numbering.end(low.header)) return std::nullopt;
      low = *found;
    } else {
      high = middle;
    }
  }
  // From there on every frame must begin where the one before ends, so bytes that only look like a
  // header are found out.
  const int64_t begin = low.offset_bytes, end_sample = first_sample + samples;
  std::vector<uint8_t> bytes;
  for (int64_t room = 2 * window_bytes;; room *= 2) {
    bytes.resize(static_cast<size_t>(std::min(room, file.size_bytes() - begin)));
    bytes.resize(file.read(begin, bytes));
    const bool all = begin + static_cast<int64_t>(bytes.size()) >= file.size_bytes();
    FoundFrame frame{0, low.header};
    FlacPart part{.first_sample = -1, .offset_bytes = 0, .bytes = 0};
    for (;;) {
      const int64_t next_sample = numbering.end(frame.header);
      if (part.first_sample < 0 && next_sample > first_sample) {
        part = {numbering.position(frame.header), frame.offset_bytes, 0};
      }
      const auto next =
          find_frame(bytes, static_cast<size_t>(frame.offset_bytes) + 1, bytes.size(), header);
      if (next && numbering.position(next->header) != next_sample) return std::nullopt;
      if (next_sample >= end_sample && (next || all)) {
        const int64_t end = next ? next->offset_bytes : static_cast<int64_t>(bytes.size());
        return FlacPart{part.first_sample, begin + part.offset_bytes, end - part.offset_bytes};
      }
      if (!next) break;
      frame = *next;
    }
    if (all) return std::nullopt;
  }
}

}  // namespace flowqat::io

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
  size_t position = 0;
  FlacFrameHeader header;
};

/// The first frame header in `bytes` that begins before `end`, and at `first_sample` if that is not
/// negative.
std::optional<FoundFrame> find_frame(std::span<const uint8_t> bytes, size_t begin, size_t end,
                                     const FlacHeader& stream, int64_t first_sample = -1) {
  while (begin < end) {
    const void* hit = std::memchr(bytes.data() + begin, 0xff, end - begin);
    if (hit == nullptr) return std::nullopt;
    const auto position = static_cast<size_t>(static_cast<const uint8_t*>(hit) - bytes.data());
    const auto header = parse_flac_frame_header(bytes.subspan(position), stream);
    if (header && (first_sample < 0 || header->first_sample == first_sample)) {
      return FoundFrame{position, *header};
    }
    begin = position + 1;
  }
  return std::nullopt;
}

/// The first frame whose header begins in [begin, end) of the file, by its offset there.
std::optional<std::pair<int64_t, FlacFrameHeader>> find_in_file(const InputFile& file,
                                                                const FlacHeader& stream,
                                                                int64_t begin, int64_t end) {
  std::vector<uint8_t> window(window_bytes + longest_flac_frame_header_bytes);
  for (; begin < end; begin += window_bytes) {
    const size_t count = file.read(begin, window);
    const auto inside = static_cast<size_t>(std::min(window_bytes, end - begin));
    const auto found = find_frame({window.data(), count}, 0, std::min(inside, count), stream);
    if (found) return std::pair{begin + static_cast<int64_t>(found->position), found->header};
  }
  return std::nullopt;
}

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
  return FlacFrameHeader{.first_sample = variable ? *number : *number * header.max_block_samples,
                         .samples = samples,
                         .channel_code = static_cast<int>(channel_code),
                         .header_bytes = reader.position()};
}

std::optional<FlacPart> find_flac_part(const InputFile& file, const FlacHeader& header,
                                       int64_t frames_bytes, int64_t first_sample,
                                       int64_t samples) {
  // A frame that begins at or before the first sample, and is not far from it.
  int64_t low = frames_bytes, high = file.size_bytes();
  while (high - low > window_bytes) {
    const int64_t middle = low + (high - low) / 2;
    const auto found = find_in_file(file, header, middle, high);
    if (found && found->second.first_sample <= first_sample) {
      low = found->first;
    } else {
      high = middle;
    }
  }
  // From there on every frame must begin where the one before ends, so bytes that only look like a
  // header are found out.
  const int64_t end_sample = first_sample + samples;
  std::vector<uint8_t> bytes;
  for (int64_t room = 2 * window_bytes;; room *= 2) {
    bytes.resize(static_cast<size_t>(std::min(room, file.size_bytes() - low)));
    bytes.resize(file.read(low, bytes));
    const bool all = low + static_cast<int64_t>(bytes.size()) >= file.size_bytes();
    auto frame = find_frame(bytes, 0, std::min<size_t>(1, bytes.size()), header);
    if (!frame) return std::nullopt;
    FlacPart part{.first_sample = -1, .offset_bytes = 0, .bytes = 0};
    for (;;) {
      const int64_t next_sample = frame->header.first_sample + frame->header.samples;
      if (part.first_sample < 0 && next_sample > first_sample) {
        part = {frame->header.first_sample, static_cast<int64_t>(frame->position), 0};
      }
      const auto next = find_frame(bytes, frame->position + 1, bytes.size(), header, next_sample);
      if (next_sample >= end_sample && (next || all)) {
        const auto end = static_cast<int64_t>(next ? next->position : bytes.size());
        return FlacPart{part.first_sample, low + part.offset_bytes, end - part.offset_bytes};
      }
      if (!next) break;
      frame = next;
    }
    if (all) return std::nullopt;
  }
}

}  // namespace flowqat::io

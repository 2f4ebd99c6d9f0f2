#include "io/audio/flac/file.h"

#include <algorithm>
#include <cstring>

#include "io/audio/flac/reader.h"
#include "io/files/error.h"

namespace flowqat::io {
namespace {

constexpr size_t marker_bytes = 4, block_header_bytes = 4, streaminfo_bytes = 34;
constexpr size_t start_bytes = marker_bytes + block_header_bytes + streaminfo_bytes;

uint32_t big_endian(const uint8_t* bytes, int count) {
  uint32_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

/// Bytes of the ID3v2 tag that `start` begins with; 0 if it does not.
/// https://id3.org/id3v2.4.0-structure
int64_t id3v2_bytes(std::span<const uint8_t> start) {
  constexpr int64_t header_bytes = 10;
  if (start.size() < header_bytes || std::memcmp(start.data(), "ID3", 3) != 0) return 0;
  int64_t body = 0;
  for (int i = 6; i < 10; ++i) body = body << 7 | (start[i] & 0x7f);
  const bool footer = (start[5] & 0x10) != 0;
  return header_bytes + body + (footer ? header_bytes : 0);
}

FlacHeader parse_streaminfo(const std::filesystem::path& path, std::span<const uint8_t> start) {
  if (start.size() < start_bytes) {
    throw Error(path, "FLAC header cut off: expected " + std::to_string(start_bytes) +
                          " bytes, found " + std::to_string(start.size()) +
                          "; copy the file again from its source");
  }
  const uint8_t* block = start.data() + marker_bytes;
  if ((block[0] & 0x7f) != 0 || big_endian(block + 1, 3) != streaminfo_bytes) {
    throw Error(path,
                "FLAC header broken: the first metadata block is not a STREAMINFO of 34 bytes");
  }
  const uint8_t* info = block + block_header_bytes;
  FlacHeader header;
  header.max_block_samples = static_cast<int>(big_endian(info + 2, 2));
  header.rate_hz = static_cast<int>(big_endian(info + 10, 3) >> 4);
  header.channels = (info[12] >> 1 & 7) + 1;
  header.bits = ((info[12] & 1) << 4 | info[13] >> 4) + 1;
  header.samples = static_cast<int64_t>(info[13] & 15) << 32 | big_endian(info + 14, 4);
  std::copy_n(info + 18, header.md5.size(), header.md5.begin());
  if (header.rate_hz == 0 || header.bits < 4 || header.max_block_samples < 16) {
    throw Error(path, "FLAC header broken: STREAMINFO states a rate of " +
                          std::to_string(header.rate_hz) + " Hz, " + std::to_string(header.bits) +
                          " bits and blocks of " + std::to_string(header.max_block_samples) +
                          " samples");
  }
  return header;
}

/// Offset of the first frame: behind the last metadata block (RFC 9639, section 8.1).
int64_t frames_begin(const InputFile& file, const FlacHeader& header) {
  int64_t offset = header.offset_bytes + static_cast<int64_t>(marker_bytes);
  for (bool last = false; !last;) {
    uint8_t block[block_header_bytes];
    if (file.read(offset, block) < block_header_bytes) break;
    last = (block[0] & 0x80) != 0;
    offset += static_cast<int64_t>(block_header_bytes) + big_endian(&block[1], 3);
    if (last && offset <= file.size_bytes()) return offset;
  }
  throw Error(file.path(),
              "FLAC metadata runs past the end of the file; the file is cut off or damaged");
}

/// Where the frames end: before the tags that other formats' programs append, ID3v1 (128 bytes) and
/// APEv2 (https://wiki.hydrogenaud.io/index.php?title=APEv2_specification).
int64_t frames_end(const InputFile& file) {
  constexpr int64_t id3v1_bytes = 128, ape_footer_bytes = 32;
  int64_t end = file.size_bytes();
  uint8_t tag[ape_footer_bytes];
  const auto begins_with = [&](int64_t offset, std::string_view marker) {
    return offset >= 0 && file.read(offset, tag) >= marker.size() &&
           std::memcmp(tag, marker.data(), marker.size()) == 0;
  };
  if (begins_with(end - id3v1_bytes, "TAG")) end -= id3v1_bytes;
  if (begins_with(end - ape_footer_bytes, "APETAGEX")) {
    int64_t tag_bytes = tag[12] | tag[13] << 8 | tag[14] << 16 | int64_t{tag[15]} << 24;
    const bool header = (tag[23] & 0x80) != 0;
    tag_bytes += header ? ape_footer_bytes : 0;
    if (tag_bytes <= end) end -= tag_bytes;
  }
  return end;
}

/// What is to be decoded of a file.
struct Frames {
  int64_t begin, end;        ///< bytes
  int64_t first_sample;      ///< of the frame at `begin`
  int64_t end_sample;        ///< where the recording or the part ends; 0: it is not known
  bool stop_at_end = false;  ///< or hand on what comes behind `end_sample` too
  bool check_order = false;  ///< they are all frames of the file
};

/// Whether the frames come in the order in which they were numbered. Only told where numbers can be
/// believed: counting from the first frame on, they have to end where the recording does.
class FrameOrder {
 public:
  void add(const FlacFrameHeader& frame, int64_t position) {
    if (!numbering_) numbering_.emplace(frame);
    if (misplaced_ < 0 && numbering_->position(frame) != position) misplaced_ = position;
    end_ = numbering_->end(frame);
  }
  /// The sample at which a frame stands that belongs elsewhere; negative where there is none.
  int64_t misplaced(int64_t end_sample) const { return end_ == end_sample ? misplaced_ : -1; }

 private:
  std::optional<FlacNumbering> numbering_;
  int64_t misplaced_ = -1, end_ = 0;
};

/// Hands on frames. One that is broken is an error before `end_sample`, or anywhere if that is not
/// known: what comes behind the last promised sample may be no audio.
void decode_frames(const InputFile& file, const FlacHeader& header, const Frames& frames,
                   const BlockHandler& handle) {
  auto reader = FlacReader::take();
  reader->start(file, frames.begin, frames.end);
  FrameOrder order;
  const char* wrong = nullptr;
  int64_t position = frames.first_sample;
  const int64_t end = frames.end_sample;
  while (!frames.stop_at_end || position < end) {
    const FlacBlock* block = reader->next(header, &wrong);
    if (!block) break;
    if (frames.check_order) order.add(block->frame(), position);
    handle(*block, position);
    position += block->samples();
  }
  if (wrong && (end == 0 || position < end)) {
    throw Error(file.path(), "broken FLAC frame behind sample " + std::to_string(position) +
                                 " of " + (end == 0 ? "an unknown number" : std::to_string(end)) +
                                 ": " + wrong +
                                 "; the file is damaged, copy it again from its source");
  }
  if (const int64_t at = order.misplaced(end); at >= 0 && position == end) {
    throw Error(file.path(), "the FLAC frame at sample " + std::to_string(at) +
                                 " belongs elsewhere, as its number says; the file is damaged, "
                                 "copy it again from its source");
  }
  FlacReader::give_back(std::move(reader));
}

}  // namespace

std::optional<FlacHeader> read_flac_header(const InputFile& file) {
  uint8_t bytes[64];
  int64_t offset_bytes = 0;
  size_t count = file.read(0, bytes);
  while (const int64_t tag_bytes = id3v2_bytes({bytes, count})) {
    offset_bytes += tag_bytes;
    count = file.read(offset_bytes, bytes);
  }
  if (count < marker_bytes || std::memcmp(bytes, "fLaC", marker_bytes) != 0) return std::nullopt;
  FlacHeader header = parse_streaminfo(file.path(), {bytes, count});
  header.offset_bytes = offset_bytes;
  return header;
}

void decode_flac(const InputFile& file, const FlacHeader& header, const BlockHandler& handle) {
  // Where the total is known, a tag is merely what comes behind the last sample.
  const int64_t end = header.samples > 0 ? file.size_bytes() : frames_end(file);
  decode_frames(file, header,
                {.begin = frames_begin(file, header),
                 .end = end,
                 .first_sample = 0,
                 .end_sample = header.samples,
                 .check_order = header.samples > 0},
                handle);
}

void decode_flac_part(const InputFile& file, const FlacHeader& header, int64_t first_sample,
                      int64_t samples, const BlockHandler& handle) {
  const int64_t begin = frames_begin(file, header), end_sample = first_sample + samples;
  if (const auto part = find_flac_part(file, header, begin, first_sample, samples)) {
    return decode_frames(file, header,
                         {.begin = part->offset_bytes,
                          .end = part->offset_bytes + part->bytes,
                          .first_sample = part->first_sample,
                          .end_sample = end_sample},
                         handle);
  }
  decode_frames(file, header,
                {.begin = begin,
                 .end = header.samples > 0 ? file.size_bytes() : frames_end(file),
                 .first_sample = 0,
                 .end_sample = end_sample,
                 .stop_at_end = true},
                handle);
}

bool flac_parts_are_quick(const InputFile& file, const FlacHeader& header) {
  return find_flac_part(file, header, frames_begin(file, header), header.samples / 2, 1)
      .has_value();
}

}  // namespace flowqat::io

#include "io/flac_file.h"

#include <algorithm>
#include <cstring>

#include "io/error.h"
#include "io/flac_decoder.h"
#include "io/flac_frame.h"

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
  header.info.rate_hz = static_cast<int>(big_endian(info + 10, 3) >> 4);
  header.info.channels = (info[12] >> 1 & 7) + 1;
  header.bits = ((info[12] & 1) << 4 | info[13] >> 4) + 1;
  header.info.samples = static_cast<int64_t>(info[13] & 15) << 32 | big_endian(info + 14, 4);
  std::copy_n(info + 18, header.md5.size(), header.md5.begin());
  if (header.info.rate_hz == 0 || header.bits < 4 || header.max_block_samples < 16) {
    throw Error(path, "FLAC header broken: STREAMINFO states a rate of " +
                          std::to_string(header.info.rate_hz) + " Hz, " +
                          std::to_string(header.bits) + " bits and blocks of " +
                          std::to_string(header.max_block_samples) + " samples");
  }
  return header;
}

/// Offset of the first frame: behind the last metadata block (RFC 9639, section 8.1). `header_at`
/// reads a block's four bytes at an offset.
template <class HeaderAt>
int64_t frames_offset(const InputFile& file, int64_t flac, const HeaderAt& header_at) {
  int64_t offset = flac + static_cast<int64_t>(marker_bytes);
  for (bool last = false; !last;) {
    if (offset + static_cast<int64_t>(block_header_bytes) > file.size_bytes()) break;
    const std::array<uint8_t, block_header_bytes> block = header_at(offset);
    last = (block[0] & 0x80) != 0;
    offset += static_cast<int64_t>(block_header_bytes) + big_endian(&block[1], 3);
    if (last && offset <= file.size_bytes()) return offset;
  }
  throw Error(file.path(),
              "FLAC metadata runs past the end of the file; the file is cut off or damaged");
}

/// Where the frames end: before the tags that other formats' programs append, ID3v1 (128 bytes) and
/// APEv2 (https://wiki.hydrogenaud.io/index.php?title=APEv2_specification).
size_t frames_end(std::span<const uint8_t> bytes) {
  constexpr size_t id3v1_bytes = 128, ape_footer_bytes = 32;
  size_t end = bytes.size();
  if (end >= id3v1_bytes && std::memcmp(&bytes[end - id3v1_bytes], "TAG", 3) == 0) {
    end -= id3v1_bytes;
  }
  if (end >= ape_footer_bytes && std::memcmp(&bytes[end - ape_footer_bytes], "APETAGEX", 8) == 0) {
    const uint8_t* footer = &bytes[end - ape_footer_bytes];
    size_t tag_bytes = footer[12] | footer[13] << 8 | footer[14] << 16 | size_t{footer[15]} << 24;
    const bool header = (footer[23] & 0x80) != 0;
    tag_bytes += header ? ape_footer_bytes : 0;
    if (tag_bytes <= end) end -= tag_bytes;
  }
  return end;
}

FlacFormat format_of(const FlacHeader& header) {
  return {header.info.rate_hz, header.info.channels, header.bits, header.max_block_samples};
}

/// Hands on all frames of a decoder that was started, the first of them at sample `position`. An
/// error counts before sample `end`, or anywhere if that is 0: what comes behind the last promised
/// sample may be no audio.
void drain(std::unique_ptr<FlacDecoder> decoder, const std::filesystem::path& path,
           int64_t position, int64_t end, const PartHandler& handle) {
  int error = 0;
  while (const AVFrame* frame = decoder->next(&error)) {
    handle(*frame, position);
    position += frame->nb_samples;
  }
  if (error == 0) {
    FlacDecoder::give_back(std::move(decoder));
  } else if (end == 0 || position < end) {
    throw Error(path, "broken FLAC frame behind sample " + std::to_string(position) + " of " +
                          (end == 0 ? "an unknown number" : std::to_string(end)) + ": " +
                          av_error_text(error, decoder->messages()) +
                          "; the file is damaged, copy it again from its source");
  }
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

void decode_flac(const InputFile& file, const FlacHeader& header, const FrameHandler& handle) {
  auto decoder = FlacDecoder::take(format_of(header));
  const auto size = static_cast<size_t>(file.size_bytes());
  const std::span room(decoder->reserve(size), size);
  const auto bytes = room.first(file.read(0, room));
  const auto begin = static_cast<size_t>(frames_offset(file, header.offset_bytes, [&](int64_t at) {
    std::array<uint8_t, block_header_bytes> block{};
    const auto place = static_cast<size_t>(at);
    if (place + block.size() <= bytes.size()) std::copy_n(&bytes[place], block.size(), &block[0]);
    return block;
  }));
  const size_t end = std::max(begin, frames_end(bytes));
  decoder->start(begin, end - begin);
  drain(std::move(decoder), file.path(), 0, header.info.samples,
        [&handle](const AVFrame& frame, int64_t) { handle(frame); });
}

void decode_flac_part(const InputFile& file, const FlacHeader& header, int64_t first_sample,
                      int64_t samples, const PartHandler& handle) {
  const int64_t begin = frames_offset(file, header.offset_bytes, [&](int64_t at) {
    std::array<uint8_t, block_header_bytes> block{};
    file.read(at, block);
    return block;
  });
  const auto part = find_flac_part(file, header, begin, first_sample, samples);
  if (!part || part->bytes >= flac_packet_limit_bytes) {
    int64_t position = 0;
    return decode_flac(file, header, [&](const AVFrame& frame) {
      handle(frame, position);
      position += frame.nb_samples;
    });
  }
  auto decoder = FlacDecoder::take(format_of(header));
  const auto size = static_cast<size_t>(part->bytes);
  decoder->start(0, file.read(part->offset_bytes, {decoder->reserve(size), size}));
  drain(std::move(decoder), file.path(), part->first_sample, first_sample + samples, handle);
}

}  // namespace flowqat::io

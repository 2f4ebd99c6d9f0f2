/// FLAC frames that no encoder made: whatever their bits, they end as samples or as a reason. What
/// they read outside of their bytes is for the address sanitizer to find.
#include "io/audio/flac/block.h"

#include <cstring>
#include <memory>
#include <random>
#include <set>

#include "io/audio/flac/bits.h"
#include "io/audio/flac/crc16.h"
#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

FlacHeader header_of(int channels, int bits) {
  FlacHeader header;
  header.rate_hz = 16000;
  header.channels = channels;
  header.bits = bits;
  header.max_block_samples = 4096;
  return header;
}

/// A sound frame header: `channel_code` as in section 9.1.3, 256 or 4096 samples.
std::vector<uint8_t> frame_header(int channel_code, bool is_long) {
  std::vector<uint8_t> bytes{0xff, 0xf8, static_cast<uint8_t>(is_long ? 0xc0 : 0x80),
                             static_cast<uint8_t>(channel_code << 4), 0};
  uint8_t crc = 0;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int i = 0; i < 8; ++i) crc = static_cast<uint8_t>(crc << 1 ^ ((crc & 0x80) ? 7 : 0));
  }
  bytes.push_back(crc);
  return bytes;
}

/// What decoding `bytes` says, from memory that ends right behind its padding; null if it is sound.
const char* decode_bytes(const std::vector<uint8_t>& bytes, const FlacHeader& header,
                         FlacBlock& block) {
  const auto room = std::make_unique<uint8_t[]>(bytes.size() + FlacBits::padding_bytes);
  std::memcpy(room.get(), bytes.data(), bytes.size());
  size_t frame_bytes = 0;
  bool ran_out = false;
  const char* wrong = block.decode({room.get(), bytes.size()}, header, &frame_bytes, &ran_out);
  if (!wrong) CHECK(frame_bytes <= bytes.size());
  return wrong;
}

}  // namespace

TEST_CASE("frames of random bits end as a reason", "[level]") {
  std::mt19937 random(1);
  std::set<std::string> reasons;
  FlacBlock block;
  for (int round = 0; round < 20'000; ++round) {
    const int channel_code = static_cast<int>(random() % 11);
    const int channels = channel_code < 8 ? channel_code + 1 : 2;
    const FlacHeader header = header_of(channels, random() % 2 ? 16 : 24);
    std::vector<uint8_t> bytes = frame_header(channel_code, random() % 2 != 0);
    // A first subframe that gets as far as its residual, where most of the code is.
    const int order = static_cast<int>(random() % 32);
    bytes.push_back(static_cast<uint8_t>(random() % 2 ? (32 + order) << 1 : random()));
    const size_t more = random() % 3000;
    const bool sparse = random() % 4 == 0;  // long runs of zeros
    for (size_t i = 0; i < more; ++i) {
      bytes.push_back(static_cast<uint8_t>(sparse && random() % 8 ? 0 : random()));
    }
    if (const char* wrong = decode_bytes(bytes, header, block)) reasons.insert(wrong);
  }
  CHECK(reasons.count("a frame ends early") == 1);
  CHECK(reasons.count("a frame's checksum is wrong") == 1);
  CHECK(reasons.size() >= 7);
}

TEST_CASE("any two channels are put together, whatever their samples", "[level]") {
  std::mt19937 random(2);
  FlacBlock block;
  int sound = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<uint8_t> frame = frame_header(10, false);
    // Both subframes verbatim: every pattern of bits is a sample.
    for (const int sample_bits : {16, 17}) {
      frame.push_back(1 << 1);
      for (int i = 0; i < 256 * sample_bits / 8; ++i) {
        frame.push_back(random() % 2 ? 0x80 : static_cast<uint8_t>(random()));
      }
    }
    const uint16_t crc = crc16(frame);
    frame.push_back(static_cast<uint8_t>(crc >> 8));
    frame.push_back(static_cast<uint8_t>(crc));
    sound += decode_bytes(frame, header_of(2, 16), block) == nullptr;
  }
  CHECK(sound == 200);
}

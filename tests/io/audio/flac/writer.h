/// FLAC files as no encoder at hand writes them: any number of bits, any numbers of frames,
/// residuals that wrapped around. RFC 9639, section 9.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "io/audio/flac/crc16.h"

namespace flowqat::io::test {

class BitWriter {
 public:
  void put(uint64_t value, int bits) {
    for (int bit = bits - 1; bit >= 0; --bit) {
      if (count_ % 8 == 0) bytes_.push_back(0);
      bytes_.back() |= static_cast<uint8_t>((value >> bit & 1) << (7 - count_ % 8));
      ++count_;
    }
  }
  void put_unary(uint64_t zeros) {
    for (; zeros > 0; --zeros) put(0, 1);
    put(1, 1);
  }
  void align() { put(0, static_cast<int>((8 - count_ % 8) % 8)); }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
  size_t count_ = 0;
};

/// One channel of a frame, as it is stored.
struct Subframe {
  enum Kind { verbatim, fixed, linear };
  std::vector<int64_t> samples;
  int bits = 16;
  Kind kind = verbatim;
  int order = 0;          ///< of `fixed`; a linear predictor has the order 2
  int residual_bits = 0;  ///< into which residuals are wrapped; 0: not
};

struct FlacFormat {
  int channels = 1, bits = 16, rate_hz = 16000;
  int block_samples = 4096;  ///< the most, and the least where they are fixed
};

inline int64_t wrapped(int64_t value, int bits) {
  return static_cast<int64_t>(static_cast<uint64_t>(value) << (64 - bits)) >> (64 - bits);
}

inline void put_subframe(BitWriter& out, const Subframe& subframe) {
  static constexpr std::array<std::array<int64_t, 4>, 5> fixed{
      {{}, {1}, {2, -1}, {3, -3, 1}, {4, -6, 4, -1}}};
  constexpr std::array<int64_t, 4> linear{15000, -7000};  // times 2^-13
  const bool is_linear = subframe.kind == Subframe::linear;
  const int order = is_linear ? 2 : subframe.order;
  const auto& samples = subframe.samples;
  const auto put_sample = [&](int64_t x) { out.put(static_cast<uint64_t>(x), subframe.bits); };
  if (subframe.kind == Subframe::verbatim) {
    out.put(1 << 1, 8);
    for (const int64_t sample : samples) put_sample(sample);
    return;
  }
  out.put(static_cast<uint64_t>(is_linear ? 31 + order : 8 + order) << 1, 8);
  for (int i = 0; i < order; ++i) put_sample(samples[static_cast<size_t>(i)]);
  const auto& coefficients = is_linear ? linear : fixed[static_cast<size_t>(order)];
  if (is_linear) {
    out.put(15 - 1, 4), out.put(13, 5);
    for (int i = 0; i < order; ++i)
      out.put(static_cast<uint64_t>(linear[static_cast<size_t>(i)]), 15);
  }
  std::vector<uint64_t> codes;
  uint64_t largest = 1;
  for (size_t at = static_cast<size_t>(order); at < samples.size(); ++at) {
    int64_t sum = 0;
    for (size_t i = 0; i < static_cast<size_t>(order); ++i)
      sum += coefficients[i] * samples[at - 1 - i];
    int64_t residual = samples[at] - (is_linear ? sum >> 13 : sum);
    if (subframe.residual_bits > 0) residual = wrapped(residual, subframe.residual_bits);
    codes.push_back(static_cast<uint64_t>(residual << 1) ^ static_cast<uint64_t>(residual >> 63));
    largest = std::max(largest, codes.back());
  }
  int k = 0;
  while (k < 30 && largest >> k > 3) ++k;
  out.put(1, 2), out.put(0, 4), out.put(static_cast<uint64_t>(k), 5);
  for (const uint64_t code : codes) out.put_unary(code >> k), out.put(code, k);
}

/// `number`: of the frame, or of its first sample where blocks may be of any length. `code`: how
/// the channels are stored (section 9.1.3).
inline std::string flac_frame(int64_t number, bool counts_samples, int code,
                              const std::vector<Subframe>& subframes) {
  BitWriter out;
  out.put(counts_samples ? 0xfff9 : 0xfff8, 16);
  out.put(7, 4), out.put(0, 4);  // the block's length follows in 16 bits; the rate is the stream's
  out.put(static_cast<uint64_t>(code), 4), out.put(0, 4);  // and so are the bits
  int more = 0;
  while (number >> (more == 0 ? 7 : 6 + 5 * more) != 0) ++more;
  const auto coded = static_cast<uint64_t>(number);
  if (more == 0) out.put(coded, 8);
  if (more > 0) out.put(((0xff00U >> (more + 1)) & 0xff) | coded >> (6 * more), 8);
  for (int i = more - 1; i >= 0; --i) out.put(0x80 | (coded >> (6 * i) & 0x3f), 8);
  out.put(subframes[0].samples.size() - 1, 16);
  uint8_t crc8 = 0;
  for (const uint8_t byte : out.bytes()) {
    crc8 ^= byte;
    for (int i = 0; i < 8; ++i) crc8 = static_cast<uint8_t>(crc8 << 1 ^ (crc8 & 0x80 ? 7 : 0));
  }
  out.put(crc8, 8);
  for (const Subframe& subframe : subframes) put_subframe(out, subframe);
  out.align();
  out.put(crc16(out.bytes()), 16);
  return {out.bytes().begin(), out.bytes().end()};
}

/// What stands before the frames; `samples` 0: their number is not known.
inline std::string flac_start(const FlacFormat& format, int64_t samples,
                              const std::string& md5 = std::string(16, '\0')) {
  BitWriter out;
  for (const char c : {'f', 'L', 'a', 'C'}) out.put(static_cast<uint8_t>(c), 8);
  out.put(0x80, 8), out.put(34, 24);
  out.put(static_cast<uint64_t>(format.block_samples), 16);
  out.put(static_cast<uint64_t>(format.block_samples), 16);
  out.put(0, 48);
  out.put(static_cast<uint64_t>(format.rate_hz), 20);
  out.put(static_cast<uint64_t>(format.channels - 1), 3);
  out.put(static_cast<uint64_t>(format.bits - 1), 5);
  out.put(static_cast<uint64_t>(samples), 36);
  return std::string(out.bytes().begin(), out.bytes().end()) + md5;
}

}  // namespace flowqat::io::test

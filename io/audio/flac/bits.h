/// The bits of a FLAC stream, the highest of each byte first (RFC 9639, section 5).
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace flowqat::io {

/// Reads ahead into a 64-bit window, so the bytes must be followed by `padding_bytes` zeros. Behind
/// the end it reads zeros and ran_out() tells so; nothing else has to be checked before each read.
class FlacBits {
 public:
  static constexpr size_t padding_bytes = 32;
  /// The bits that are surely in the window behind fill().
  static constexpr int filled_bits = 56;

  explicit FlacBits(std::span<const uint8_t> bytes)
      : begin_(bytes.data()), next_(begin_), end_(begin_ + bytes.size()) {}

  /// The next `count` bits, at most 56, as an unsigned number; 0 behind the end.
  uint64_t take(int count) {
    if (count_ < count) {
      if (next_ > end_) {
        overrun_ = true;
        return 0;
      }
      fill();
    }
    return take_filled(count);
  }
  int64_t take_signed(int count) {
    if (count == 0) return 0;
    return static_cast<int64_t>(take(count) << (64 - count)) >> (64 - count);
  }
  /// The number of zeros before the next one, which is taken too.
  uint32_t take_unary() {
    for (uint32_t zeros = 0;;) {
      if (next_ <= end_) fill();
      const int run = zero_run();
      if (run < count_) {
        drop(run + 1);
        return zeros + static_cast<uint32_t>(run);
      }
      if (next_ > end_) {
        overrun_ = true;
        return 0;
      }
      zeros += static_cast<uint32_t>(count_);
      drop(count_);
    }
  }
  void align() { drop(count_ & 7); }
  /// In whole bytes; only right where the bits are aligned.
  size_t position_bytes() const { return static_cast<size_t>(position_bits() / 8); }
  bool ran_out() const { return overrun_ || position_bits() > 8 * (end_ - begin_); }

  // For loops that check less: between one fill() and the next, one of the bits taken must be a
  // one, which no padding holds.
  /// Makes sure of `filled_bits` bits.
  void fill() {
    uint64_t ahead;
    std::memcpy(&ahead, next_, sizeof ahead);
    if constexpr (std::endian::native == std::endian::little) ahead = __builtin_bswap64(ahead);
    // The bits behind `count_` are already those of the stream, and stay as they are.
    window_ |= ahead >> count_;
    next_ += (63 - count_) >> 3;
    count_ |= 56;
  }
  int filled() const { return count_; }
  /// Zeros before the next one in the window; 64 if it holds none.
  int zero_run() const { return std::countl_zero(window_); }
  uint64_t take_filled(int count) {
    const uint64_t bits = (window_ >> 1) >> (63 - count);
    drop(count);
    return bits;
  }
  void drop(int count) {
    window_ <<= count;
    count_ -= count;
  }

 private:
  ptrdiff_t position_bits() const { return 8 * (next_ - begin_) - count_; }

  const uint8_t *begin_, *next_, *end_;
  uint64_t window_ = 0;  ///< the next bits, at the top
  int count_ = 0;        ///< how many of them are counted as read
  bool overrun_ = false;
};

}  // namespace flowqat::io

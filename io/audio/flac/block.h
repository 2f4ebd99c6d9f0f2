/// One frame of FLAC: its samples, decoded and checked (RFC 9639, section 9).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "io/audio/flac/bits.h"
#include "io/audio/flac/frame.h"

namespace flowqat::io {

/// A decoded frame. Reused from frame to frame, so that its memory is taken once.
class FlacBlock {
 public:
  int samples() const { return frame_.samples; }
  const FlacFrameHeader& frame() const { return frame_; }
  int channels() const { return channels_; }
  int bits() const { return bits_; }
  /// Whether samples came out of more than bits() bits, as those of encoders whose residuals
  /// wrapped around. They are wrapped back, which is what such an encoder was given, and what
  /// libavcodec does.
  bool has_wrapped() const { return has_wrapped_; }
  /// A channel's samples, of bits() bits each.
  std::span<const int32_t> channel(int number) const {
    return {planes_.data() + static_cast<ptrdiff_t>(number) * samples(),
            static_cast<size_t>(samples())};
  }

  /// Decodes the frame that `bytes` begin with, which are followed by FlacBits::padding_bytes
  /// zeros. Returns what is wrong with it, or null; then `*frame_bytes` is its length. A checksum
  /// that is not that of the frame is wrong. The bytes may hold the frame only in part: then
  /// `*ran_out` is set, and it is worth trying again with more.
  const char* decode(std::span<const uint8_t> bytes, const FlacHeader& header, size_t* frame_bytes,
                     bool* ran_out);

 private:
  std::span<int32_t> plane(int number) {
    return {planes_.data() + static_cast<ptrdiff_t>(number) * samples(),
            static_cast<size_t>(samples())};
  }

  const char* decode_subframes(FlacBits& bits);
  void wrap_samples();

  FlacFrameHeader frame_;
  int channels_ = 0, bits_ = 0;
  bool has_wrapped_ = false;
  std::vector<int32_t> planes_;
  std::vector<int64_t> side_;  ///< a difference of two channels of 32 bits has 33
};

}  // namespace flowqat::io

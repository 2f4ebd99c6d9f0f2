/// FLAC's frame headers (RFC 9639, section 9.1), and where frames lie in a file.
#pragma once
#include <optional>
#include <span>

#include "io/audio/flac/file.h"

namespace flowqat::io {

inline constexpr size_t longest_flac_frame_header_bytes = 16;

struct FlacFrameHeader {
  /// Of its first sample where blocks are of any length, else of the frame. What a stream was cut
  /// out of may go on counting from there.
  int64_t number = 0;
  bool counts_samples = false;  ///< which of these it is
  int samples = 0;
  int channel_code = 0;  ///< section 9.1.3
  size_t header_bytes = 0;
};

/// The frame header that `bytes` begins with; none if it is none, if its checksum is wrong, or if
/// it is not of the stream that `header` describes.
std::optional<FlacFrameHeader> parse_flac_frame_header(std::span<const uint8_t> bytes,
                                                       const FlacHeader& header);

/// Where the frames of a stream lie, as their numbers say it.
class FlacNumbering {
 public:
  explicit FlacNumbering(const FlacFrameHeader& first) : first_(first) {}
  /// The first sample of a frame, counted from the stream's first; negative where its number is not
  /// one of this stream.
  int64_t position(const FlacFrameHeader& frame) const {
    if (frame.counts_samples != first_.counts_samples) return -1;
    return (frame.number - first_.number) * (first_.counts_samples ? 1 : first_.samples);
  }
  /// The sample behind the frame's last.
  int64_t end(const FlacFrameHeader& frame) const { return position(frame) + frame.samples; }

 private:
  FlacFrameHeader first_;
};

/// Whole frames of a file.
struct FlacPart {
  int64_t first_sample = 0;
  int64_t offset_bytes = 0, bytes = 0;
};

/// The frames that hold `samples` samples from `first_sample` on, found by bisection.
/// `frames_bytes` is the offset of the first frame. None where the numbers of the frames cannot be
/// trusted to be where decoding from the first frame on would come: where the total is unknown,
/// the last frame does not end there, or frames do not follow upon one another without a gap.
/// Then they have to be counted.
std::optional<FlacPart> find_flac_part(const InputFile& file, const FlacHeader& header,
                                       int64_t frames_bytes, int64_t first_sample, int64_t samples);

}  // namespace flowqat::io

/// FLAC's frame headers (RFC 9639, section 9.1), and where frames lie in a file.
#pragma once
#include <optional>
#include <span>

#include "io/audio/flac/file.h"

namespace flowqat::io {

inline constexpr size_t longest_flac_frame_header_bytes = 16;

struct FlacFrameHeader {
  int64_t first_sample = 0;
  int samples = 0;
  int channel_code = 0;  ///< section 9.1.3
  size_t header_bytes = 0;
};

/// The frame header that `bytes` begins with; none if it is none, if its checksum is wrong, or if
/// it is not of the stream that `header` describes.
std::optional<FlacFrameHeader> parse_flac_frame_header(std::span<const uint8_t> bytes,
                                                       const FlacHeader& header);

/// Whole frames of a file.
struct FlacPart {
  int64_t first_sample = 0;
  int64_t offset_bytes = 0, bytes = 0;
};

/// The frames that hold `samples` samples from `first_sample` on, found by bisection.
/// `frames_bytes` is the offset of the first frame. None where the frames do not follow upon one
/// another without a gap, as in a damaged file.
std::optional<FlacPart> find_flac_part(const InputFile& file, const FlacHeader& header,
                                       int64_t frames_bytes, int64_t first_sample, int64_t samples);

}  // namespace flowqat::io

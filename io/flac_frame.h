/// Where FLAC's frames lie, without decoding them: for parts of long recordings. RFC 9639, section
/// 9.1.
#pragma once
#include <optional>
#include <span>

#include "io/flac_file.h"

namespace flowqat::io {

struct FlacFrameHeader {
  int64_t first_sample = 0;
  int samples = 0;
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

/// FLAC files: their header, and their frames decoded. Format: RFC 9639. Our own decoder, because
/// decoding is half of what the data side does: it reads the residual and predicts in one loop.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "io/files/input_file.h"

namespace flowqat::io {

/// What STREAMINFO (RFC 9639, section 8.2) says, as far as a decoder needs it.
struct FlacHeader {
  int64_t samples = 0;  ///< of one channel; 0 where the total is unknown
  int rate_hz = 0;
  int channels = 0;
  int bits = 0;  ///< of one sample
  int max_block_samples = 0;
  /// Of all samples, interleaved, little-endian in whole bytes; all zeros where it is unknown.
  std::array<uint8_t, 16> md5{};
  int64_t offset_bytes = 0;  ///< of the marker "fLaC", behind any ID3v2 tags
};

class FlacBlock;
/// Receives decoded frames in order, with the number of the frame's first sample; valid during the
/// call only.
using BlockHandler = std::function<void(const FlacBlock&, int64_t first_sample)>;

/// The header of a FLAC file, by one small read (and one more where a tag stands before it); none
/// if the file is not FLAC. Throws Error when it is FLAC but STREAMINFO is broken.
std::optional<FlacHeader> read_flac_header(const InputFile& file);

/// Decodes every frame. ID3v1 and APEv2 tags behind the frames are
/// passed over; where the total is known, so is anything else behind the last promised sample as
/// long as it is no frame. Frames are counted, whatever numbers they bear. Throws Error for broken
/// metadata, at the first frame that is broken or whose checksum is wrong, and where the numbers
/// say that frames came into another order. The caller compares the number of samples that it was
/// handed with the header.
void decode_flac(const InputFile& file, const FlacHeader& header, const BlockHandler& handle);

/// Decodes only the frames that hold `samples` samples from `first_sample` on, found without
/// decoding what is before where flac_parts_are_quick(), and else all from the first on. The
/// samples are the same either way. Errors as of decode_flac, of those frames.
void decode_flac_part(const InputFile& file, const FlacHeader& header, int64_t first_sample,
                      int64_t samples, const BlockHandler& handle);

/// Whether frames can be found by their numbers. Throws Error for broken metadata.
bool flac_parts_are_quick(const InputFile& file, const FlacHeader& header);

}  // namespace flowqat::io

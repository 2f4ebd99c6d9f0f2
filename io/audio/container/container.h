/// What a container states of its own length and end, which libavformat mostly does not hold it to:
/// it returns what is left of a file that was cut off, and stumbles over the lengths that programs
/// write which do not know how long their output will become.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "io/files/input_file.h"

namespace flowqat::io {

/// A file as a demuxer is to see it.
struct ContainerView {
  /// Bytes that stand at `offset` instead of the file's own: a length that was left open, filled
  /// in.
  struct Patch {
    int64_t offset = 0;
    std::vector<uint8_t> bytes;
  };
  std::vector<Patch> patches;
  int64_t end_bytes = 0;  ///< what comes from here on is no audio, and is not to be seen
};

/// Looks through the structure of a file that libavformat's demuxer `format` (its short name)
/// reads. Throws Error for a file that is shorter than it states, or whose end is missing where
/// the container has one. Which containers state what is told in docs/data-sources.md; of all
/// others this is the whole file. Reads headers alone, but for Ogg and MPEG audio, whose ends are
/// found by going from page to page and from frame to frame.
ContainerView view_container(const InputFile& file, std::string_view format);

}  // namespace flowqat::io

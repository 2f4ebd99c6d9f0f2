/// RIFF: WAV with its relatives, and AVI. "Multimedia Programming Interface and Data Specifications
/// 1.0" (IBM and Microsoft, 1991); RF64: EBU Tech 3306; BW64: ITU-R BS.2088.
#include <algorithm>

#include "io/audio/container/stated.h"
#include "io/files/error.h"

namespace flowqat::io {
namespace {

constexpr int64_t chunk_header_bytes = 8, form_header_bytes = 12;
constexpr uint64_t in_ds64 = 0xffffffff;

/// Every part of an AVI is within one of the RIFF chunks that follow one another.
ContainerView view_avi(ContainerBytes& in) {
  ContainerView view{.patches = {}, .end_bytes = in.size()};
  for (int64_t at = 0; in.has(at, "RIFF");) {
    const uint64_t stated = in.little_endian(at + 4, 4);
    const int64_t there = in.size() - at - chunk_header_bytes;
    if (stated > static_cast<uint64_t>(there) && !is_placeholder(stated)) {
      fail_cut_off(in, stated, there, "bytes of audio and video");
    }
    if (is_placeholder(stated)) break;
    at += chunk_header_bytes + static_cast<int64_t>(stated + (stated & 1));
  }
  return view;
}

}  // namespace

ContainerView view_riff(ContainerBytes& in) {
  if (in.has(8, "AVI ")) return view_avi(in);
  ContainerView view{.patches = {}, .end_bytes = in.size()};
  const bool is_big = in.has(0, "RIFX"), is_64 = in.has(0, "RF64") || in.has(0, "BW64");
  if (!(in.has(0, "RIFF") || is_big || is_64) || !in.has(8, "WAVE")) return view;
  const auto number = [&](int64_t offset) {
    return is_big ? in.big_endian(offset, 4) : in.little_endian(offset, 4);
  };
  int64_t data_length_at = 0;  // in the chunk "ds64"
  int64_t at = form_header_bytes;
  for (int chunk = 0; chunk < most_chunks && at + chunk_header_bytes <= in.size(); ++chunk) {
    const int64_t begin = at + chunk_header_bytes;
    const uint64_t stated = number(at + 4);
    if (is_64 && in.has(at, "ds64")) data_length_at = begin + 8;
    if (!in.has(at, "data")) {
      at = begin + static_cast<int64_t>(stated + (stated & 1));  // padded to even sizes
      continue;
    }
    if (stated == in_ds64 && data_length_at > 0) {
      const uint64_t long_stated = in.little_endian(data_length_at, 8);
      const int64_t bytes = audio_bytes(in, begin, long_stated);
      if (static_cast<uint64_t>(bytes) != long_stated) {
        view.patches.push_back(
            little_endian_patch(data_length_at, 8, static_cast<uint64_t>(bytes)));
      }
      return view;
    }
    // An empty recording states 0 as an open length does, but all of its file's length.
    if (stated == 0 && static_cast<int64_t>(number(4)) == in.size() - chunk_header_bytes) {
      throw Error(in.file().path(), "holds an audio stream without a single sample");
    }
    const int64_t bytes = audio_bytes(in, begin, stated);
    if (static_cast<uint64_t>(bytes) != stated) {
      // The greatest length is what libavformat knows for "to the end".
      const uint64_t length = std::min(static_cast<uint64_t>(bytes), uint64_t{UINT32_MAX});
      view.patches.push_back(is_big ? big_endian_patch(at + 4, 4, length)
                                    : little_endian_patch(at + 4, 4, length));
    }
    return view;
  }
  throw Error(in.file().path(),
              "the header has no chunk \"data\" with audio in it" +
                  std::string(at + chunk_header_bytes <= in.size()
                                  ? " among its first " + std::to_string(most_chunks) + " chunks"
                                  : "") +
                  "; the file is cut off or damaged, copy it again from its "
                  "source");
}

}  // namespace flowqat::io

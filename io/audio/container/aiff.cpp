/// AIFF and AIFF-C. "Audio Interchange File Format, version 1.3" (Apple, 1989).
#include <array>

#include "io/audio/container/stated.h"

namespace flowqat::io {
namespace {

constexpr int64_t chunk_header_bytes = 8, form_header_bytes = 12;
/// Of the audio's chunk: an offset and a block size before the audio.
constexpr int64_t sound_header_bytes = 8;

/// Bytes of what a "sample frame" of the header counts, in all channels; 0: not known here.
int64_t frame_bytes(ContainerBytes& in, int64_t common, bool is_aifc) {
  const auto channels = static_cast<int64_t>(in.big_endian(common, 2));
  const auto bits = static_cast<int64_t>(in.big_endian(common + 6, 2));
  const int64_t type = common + 18;
  const auto is = [&](auto... names) { return (in.has(type, names) || ...); };
  if (!is_aifc || is("NONE", "twos", "sowt", "raw ", "in24", "in32", "fl32", "fl64", "FL32", "FL64",
                     "42ni", "23ni")) {
    return (bits + 7) / 8 * channels;
  }
  if (is("alaw", "ulaw", "ALAW", "ULAW")) return channels;
  if (is("ima4")) return 34 * channels;  // a packet of 64 samples
  return 0;
}

}  // namespace

ContainerView view_aiff(ContainerBytes& in) {
  ContainerView view{.patches = {}, .end_bytes = in.size()};
  const bool is_aifc = in.has(8, "AIFC");
  if (!in.has(0, "FORM") || !(is_aifc || in.has(8, "AIFF"))) return view;
  const auto patch = [&view](int64_t offset, int64_t value) {
    view.patches.push_back(big_endian_patch(offset, 4, static_cast<uint64_t>(value)));
  };
  int64_t common = 0;  // the chunk with the format
  int64_t at = form_header_bytes;
  for (int chunk = 0; chunk < most_chunks && at + chunk_header_bytes <= in.size(); ++chunk) {
    const int64_t begin = at + chunk_header_bytes;
    const uint64_t stated = in.big_endian(at + 4, 4);
    if (in.has(at, "COMM")) common = begin;
    if (in.has(at, "SSND")) {
      const bool is_open = is_placeholder(stated) || stated == sound_header_bytes;
      const int64_t there = audio_bytes(in, begin, is_open ? 0 : stated);
      if (common == 0) return view;  // of an order that libavformat does not read either
      const int64_t frame = frame_bytes(in, common, is_aifc);
      const auto frames = static_cast<int64_t>(in.big_endian(common + 2, 4));
      const int64_t audio = there - sound_header_bytes;
      if (static_cast<uint64_t>(there) != stated && there <= UINT32_MAX) {
        patch(4, in.size() - chunk_header_bytes);
        patch(at + 4, there);
        if (frame > 0) patch(common + 2, audio / frame);
      } else if (frames * frame > audio) {
        fail_cut_off(in, static_cast<uint64_t>(frames), audio / frame, "frames of audio");
      }
      return view;
    }
    at = begin + static_cast<int64_t>(stated + (stated & 1));
  }
  return view;
}

}  // namespace flowqat::io

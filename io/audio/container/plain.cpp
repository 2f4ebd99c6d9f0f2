/// Small old containers: a header, and audio behind it.
#include "io/audio/container/stated.h"

namespace flowqat::io {

/// Offset and length of the audio are the second and third number of the header; 2^32 - 1: not
/// known. https://man7.org: "AUDIO FILE FORMAT", au(5) of SunOS.
ContainerView view_au(ContainerBytes& in) {
  ContainerView view{.patches = {}, .end_bytes = in.size()};
  if (!in.has(0, ".snd")) return view;
  const auto begin = static_cast<int64_t>(in.big_endian(4, 4));
  const uint64_t stated = in.big_endian(8, 4);
  const int64_t bytes = audio_bytes(in, begin, stated);
  // 2^32 - 1 is what libavformat knows for "to the end".
  if (static_cast<uint64_t>(bytes) != stated) {
    view.patches.push_back(big_endian_patch(8, 4, UINT32_MAX));
  }
  return view;
}

/// A number of samples of 4 bytes each, in all channels; 0: not known. soxformat(7).
ContainerView view_sox(ContainerBytes& in) {
  const bool is_big = in.has(0, "XoS.");
  if (!is_big && !in.has(0, ".SoX")) return {.patches = {}, .end_bytes = in.size()};
  const auto number = [&](int64_t offset, int count) {
    return is_big ? in.big_endian(offset, count) : in.little_endian(offset, count);
  };
  const auto begin = 4 + static_cast<int64_t>(number(4, 4));
  const uint64_t samples = number(8, 8);
  const int64_t there = (in.size() - begin) / 4;
  if (samples > static_cast<uint64_t>(there) && !is_placeholder(samples)) {
    fail_cut_off(in, samples, there, "samples");
  }
  const bool is_known = samples > 0 && samples <= static_cast<uint64_t>(there);
  return {.patches = {},
          .end_bytes = is_known ? begin + 4 * static_cast<int64_t>(samples) : in.size()};
}

/// Blocks of a type and a 24-bit length; type 0 ends them.
ContainerView view_voc(ContainerBytes& in) {
  const ContainerView view{.patches = {}, .end_bytes = in.size()};
  constexpr int64_t block_header_bytes = 4;
  constexpr uint64_t last_type = 9;
  if (!in.has(0, "Creative Voice File")) return view;
  for (auto at = static_cast<int64_t>(in.little_endian(20, 2)); at < in.size();) {
    const uint64_t type = in.little_endian(at, 1);
    const uint64_t stated = in.little_endian(at + 1, 3);
    const int64_t there = in.size() - at - block_header_bytes;
    const bool is_open = stated == 0 || stated == 0xffffff;
    if (type == 0 || type > last_type || is_open) break;
    if (there < 0 || stated > static_cast<uint64_t>(there)) {
      fail_cut_off(in, stated, there, "bytes in a block");
    }
    at += block_header_bytes + static_cast<int64_t>(stated);
  }
  return view;
}

/// Blocks of a length that leaves out their first 8 bytes. https://www.wavpack.com,
/// "WavPack 4 & 5 Binary File / Block Format".
ContainerView view_wavpack(ContainerBytes& in) {
  constexpr int64_t uncounted_bytes = 8;
  int64_t at = 0;
  while (in.has(at, "wvpk")) {
    const uint64_t stated = in.little_endian(at + 4, 4);
    const int64_t there = in.size() - at - uncounted_bytes;
    if (there < 0 || stated > static_cast<uint64_t>(there)) {
      fail_cut_off(in, stated, there, "bytes in the last block");
    }
    at += uncounted_bytes + static_cast<int64_t>(stated);
  }
  return {.patches = {}, .end_bytes = at > 0 ? at : in.size()};
}

}  // namespace flowqat::io

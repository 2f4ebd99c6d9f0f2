/// Apple's Core Audio Format: chunks with 64-bit lengths behind a header of 8 bytes. "Apple Core
/// Audio Format Specification 1.0" (2011).
#include "io/audio/container/stated.h"

namespace flowqat::io {

ContainerView view_caf(ContainerBytes& in) {
  constexpr int64_t file_header_bytes = 8, chunk_header_bytes = 12;
  const ContainerView view{.patches = {}, .end_bytes = in.size()};
  if (!in.has(0, "caff")) return view;
  int64_t at = file_header_bytes;
  for (int chunk = 0; chunk < most_chunks && at + chunk_header_bytes <= in.size(); ++chunk) {
    const uint64_t stated = in.big_endian(at + 4, 8);
    const int64_t begin = at + chunk_header_bytes;
    const auto there = static_cast<uint64_t>(in.size() - begin);
    // A length of -1 goes to the file's end, as a program leaves it that could not go back.
    if (in.has(at, "data")) {
      audio_bytes(in, begin, stated);
    } else if (stated > there && in.has(at, "pakt")) {
      fail_cut_off(in, stated, static_cast<int64_t>(there), "bytes in its table of packets");
    }
    if (stated > there) break;
    at = begin + static_cast<int64_t>(stated);
  }
  return view;
}

}  // namespace flowqat::io

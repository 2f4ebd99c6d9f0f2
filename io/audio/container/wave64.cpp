/// Sony's Wave64: RIFF with GUIDs instead of four letters and 64-bit lengths that count the chunk's
/// header; chunks begin at multiples of 8 bytes. "Sony Pictures Digital Networks: Wave64" (2003).
#include "io/audio/container/stated.h"

namespace flowqat::io {
namespace {

constexpr int64_t guid_bytes = 16, chunk_header_bytes = guid_bytes + 8;
constexpr std::string_view riff("riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00", guid_bytes);
constexpr std::string_view data("data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a", guid_bytes);

}  // namespace

ContainerView view_wave64(ContainerBytes& in) {
  ContainerView view{.patches = {}, .end_bytes = in.size()};
  if (!in.has(0, riff)) return view;
  const auto file_bytes = static_cast<uint64_t>(in.size());
  if (is_placeholder(in.little_endian(guid_bytes, 8))) {
    view.patches.push_back(little_endian_patch(guid_bytes, 8, file_bytes));
  }
  int64_t at = chunk_header_bytes + guid_bytes;
  for (int chunk = 0; chunk < most_chunks && at < in.size(); ++chunk) {
    const uint64_t stated = in.little_endian(at + guid_bytes, 8);
    if (in.has(at, data)) {
      const auto header = static_cast<uint64_t>(chunk_header_bytes);
      const int64_t begin = at + chunk_header_bytes;
      // A length that leaves out the header, or is that of an empty chunk, was left open.
      const bool is_open = is_placeholder(stated) || stated <= header;
      const int64_t bytes = audio_bytes(in, begin, is_open ? 0 : stated - header);
      const uint64_t length = static_cast<uint64_t>(bytes) + header;
      if (length != stated) {
        view.patches.push_back(little_endian_patch(at + guid_bytes, 8, length));
      }
      view.end_bytes = begin + bytes;
      break;
    }
    if (stated < static_cast<uint64_t>(chunk_header_bytes) || stated > file_bytes) break;
    at += static_cast<int64_t>((stated + 7) / 8 * 8);
  }
  return view;
}

}  // namespace flowqat::io

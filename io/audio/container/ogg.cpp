/// Ogg: pages, the last of each stream marked as such (RFC 3533, section 6).
#include <algorithm>
#include <optional>
#include <set>

#include "io/audio/container/stated.h"
#include "io/files/error.h"

namespace flowqat::io {
namespace {

constexpr int64_t page_header_bytes = 27;
constexpr std::string_view marker = "OggS";

/// The format of the stream of audio that begins with the packet at `offset`; none if that is no
/// audio.
std::optional<StreamFormat> format_at(ContainerBytes& in, int64_t offset) {
  const auto number = [&](int64_t at, int count) {
    return static_cast<int>(in.little_endian(offset + at, count));
  };
  if (in.has(offset, "\x01vorbis")) return StreamFormat{number(12, 4), number(11, 1)};
  if (in.has(offset, "OpusHead")) return StreamFormat{48'000, number(9, 1)};
  if (in.has(offset, "Speex   ")) return StreamFormat{number(36, 4), number(48, 4)};
  constexpr std::string_view flac(
      "\x7f"
      "FLAC");
  if (!in.has(offset, flac) && !in.has(offset, "fLaC")) return std::nullopt;
  // Behind the mapping's header, the marker and a block's header stands STREAMINFO.
  const int64_t streaminfo = offset + (in.has(offset, flac) ? 9 : 0) + 8;
  const uint64_t packed = in.big_endian(streaminfo + 10, 4);
  return StreamFormat{static_cast<int>(packed >> 12), static_cast<int>(packed >> 9 & 7) + 1,
                      static_cast<int>(packed >> 4 & 31) + 1};
}

/// The next page at or behind `offset`; the file's size if there is none.
int64_t next_page(ContainerBytes& in, int64_t offset) {
  constexpr size_t piece_bytes = 4096;
  while (offset < in.size()) {
    const auto piece = in.at(offset, piece_bytes);
    const auto found = std::search(piece.begin(), piece.end(), marker.begin(), marker.end());
    if (found != piece.end()) return offset + (found - piece.begin());
    if (piece.size() < piece_bytes) break;
    offset += static_cast<int64_t>(piece.size() - marker.size() + 1);
  }
  return in.size();
}

}  // namespace

ContainerView view_ogg(ContainerBytes& in) {
  constexpr uint64_t first_of_stream = 2, last_of_stream = 4;
  std::set<uint64_t> open;  // streams whose last page is still to come
  std::optional<StreamFormat> format;
  int64_t end = 0;
  for (int64_t at = next_page(in, 0); at < in.size(); at = next_page(in, at)) {
    const auto segments = static_cast<int64_t>(in.little_endian(at + 26, 1));
    const int64_t body = at + page_header_bytes + segments;
    int64_t bytes = page_header_bytes + segments;
    for (const uint8_t segment : in.at(at + page_header_bytes, static_cast<size_t>(segments))) {
      bytes += segment;
    }
    const int64_t there = in.size() - at;
    if (there < page_header_bytes + segments || there < bytes) {
      fail_cut_off(in, static_cast<uint64_t>(bytes), there, "bytes in the last Ogg page");
    }
    const uint64_t flags = in.little_endian(at + 5, 1), stream = in.little_endian(at + 14, 4);
    const auto begun = (flags & first_of_stream) != 0 ? format_at(in, body) : std::nullopt;
    if (begun) {
      // Streams side by side begin together; one that begins later goes on where another ended.
      if (format && open.empty() && *begun != *format) fail_changed(in.file(), *format, *begun);
      if (!format) format = begun;
      open.insert(stream);
    }
    if ((flags & last_of_stream) != 0) open.erase(stream);
    end = at += bytes;
  }
  if (!open.empty()) {
    throw Error(in.file().path(),
                "an Ogg stream in it has no last page: the file is cut off, copy it again from its "
                "source; if it is all that there is, `ffmpeg -i FILE -c copy NEW.ogg` ends it");
  }
  return {.patches = {}, .end_bytes = end > 0 ? end : in.size()};
}

}  // namespace flowqat::io

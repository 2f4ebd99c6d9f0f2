/// Containers that are a row of objects, each of which states its length with its own header. MP4:
/// ISO/IEC 14496-12, section 4.2; ASF: "Advanced Systems Format Specification" (Microsoft, 2012),
/// section 2; RealMedia: "RealMedia File Format" (RealNetworks, 1998); FLV: "Adobe Flash Video File
/// Format Specification 10.1", annex E.
#include <algorithm>
#include <initializer_list>
#include <optional>

#include "io/audio/container/stated.h"

namespace flowqat::io {
namespace {

ContainerView all_of(const ContainerBytes& in) { return {.patches = {}, .end_bytes = in.size()}; }

/// What the GUIDs of ASF's audio and index begin with, and the bytes before the audio.
constexpr std::string_view asf_data("\x36\x26\xb2\x75\x8e\x66\xcf\x11", 8);
constexpr std::string_view asf_index("\x90\x08\x00\x33\xb1\xe5\xcf\x11", 8);
constexpr uint64_t asf_data_header_bytes = 50;

/// An object's length with its header, which it must at least have; none: what stands there is no
/// object, or reaches to the file's end.
using Length = std::optional<uint64_t>;

bool is_one_of(ContainerBytes& in, int64_t offset, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return in.has(offset, name); });
}

/// Goes from object to object. Throws Error where one is longer than the file.
template <class LengthAt>
void check_objects(ContainerBytes& in, int64_t begin, int64_t header_bytes, const char* what,
                   const LengthAt& length_at) {
  for (int64_t at = begin; at + header_bytes <= in.size();) {
    const Length stated = length_at(at);
    if (!stated || *stated < static_cast<uint64_t>(header_bytes)) return;
    const int64_t there = in.size() - at;
    if (*stated > static_cast<uint64_t>(there)) fail_cut_off(in, *stated, there, what);
    at += static_cast<int64_t>(*stated);
  }
}

}  // namespace

ContainerView view_mp4(ContainerBytes& in) {
  check_objects(in, 0, 8, "bytes in a box", [&in](int64_t at) -> Length {
    if (!is_one_of(in, at + 4,
                   {"ftyp", "styp", "moov", "mdat", "moof", "mfra", "sidx", "ssix", "free", "skip",
                    "wide", "udta", "meta", "uuid", "pdin", "emsg", "prft", "pnot"})) {
      return std::nullopt;
    }
    const uint64_t stated = in.big_endian(at, 4);
    if (stated == 1) return in.big_endian(at + 8, 8);
    if (stated == 0) return std::nullopt;
    return stated;
  });
  return all_of(in);
}

ContainerView view_asf(ContainerBytes& in) {
  constexpr std::string_view header("\x30\x26\xb2\x75\x8e\x66\xcf\x11", 8);
  if (!in.has(0, header)) return all_of(in);
  check_objects(in, 0, 24, "bytes in an object", [&in](int64_t at) -> Length {
    if (at > 0 && !is_one_of(in, at, {asf_data, asf_index})) return std::nullopt;
    const uint64_t stated = in.little_endian(at + 16, 8);
    // Who cannot go back leaves the audio's object as long as its header.
    const bool is_open = in.has(at, asf_data) && stated <= asf_data_header_bytes;
    if (is_open || is_placeholder(stated)) return std::nullopt;
    return stated;
  });
  return all_of(in);
}

ContainerView view_real(ContainerBytes& in) {
  if (!in.has(0, ".RMF")) return all_of(in);
  check_objects(in, 0, 8, "bytes in a chunk", [&in](int64_t at) -> Length {
    if (!is_one_of(in, at, {".RMF", "PROP", "CONT", "MDPR", "DATA", "INDX", "RMMD"})) {
      return std::nullopt;
    }
    const uint64_t stated = in.big_endian(at + 4, 4);
    const auto there = static_cast<uint64_t>(in.size() - at);
    // libavformat's own muxer states 10 bytes too many.
    const bool is_whole = stated > there && stated - there <= 10 && in.has(at, "DATA");
    if (is_whole || is_placeholder(stated)) return std::nullopt;
    return stated;
  });
  return all_of(in);
}

ContainerView view_flv(ContainerBytes& in) {
  if (!in.has(0, "FLV")) return all_of(in);
  constexpr uint64_t audio_tag = 8, video_tag = 9, data_tag = 18;
  constexpr int64_t tag_header_bytes = 11, length_bytes = 4;
  const auto begin = static_cast<int64_t>(in.big_endian(5, 4)) + length_bytes;
  check_objects(in, begin, tag_header_bytes, "bytes in the last tag", [&in](int64_t at) -> Length {
    const uint64_t type = in.big_endian(at, 1) & 0x1f;
    if (type != audio_tag && type != video_tag && type != data_tag) return std::nullopt;
    return in.big_endian(at + 1, 3) + tag_header_bytes + length_bytes;
  });
  return all_of(in);
}

}  // namespace flowqat::io

/// Matroska and WebM: elements with an id and a length (EBML, RFC 8794). A file that was written
/// without going back has a segment and clusters of unknown length: then each of their elements
/// must be whole.
#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "io/audio/container/stated.h"

namespace flowqat::io {
namespace {

constexpr uint64_t ebml_id = 0x1a45dfa3, segment_id = 0x18538067, cluster_id = 0x1f43b675;

/// What lies in a segment or in a cluster (RFC 9559, section 5.1).
constexpr std::array inner_ids = std::to_array<uint64_t>(
    {cluster_id, 0x114d9b74, 0x1549a966, 0x1654ae6b, 0x1c53bb6b, 0x1043a770, 0x1254c367, 0x1941a469,
     0xe7, 0xa3, 0xa0, 0xa7, 0xab, 0xaf, 0x5854, 0xec, 0xbf});

struct Number {
  uint64_t value = 0;
  int bytes = 0;
  bool is_unknown = false;  ///< all ones: an unknown length
};

/// A number of variable length, with or without the bit that marks its length; none: no number
/// stands there, or not all of it.
std::optional<Number> number_at(ContainerBytes& in, int64_t offset, bool keep_marker) {
  const auto first = static_cast<uint8_t>(in.big_endian(offset, 1));
  const int bytes = std::countl_zero(first) + 1;
  if (bytes > 8 || offset + bytes > in.size()) return std::nullopt;
  const uint64_t all = in.big_endian(offset, bytes);
  const uint64_t marker = uint64_t{1} << (7 * bytes);
  return Number{keep_marker ? all : all & (marker - 1), bytes, (all & (marker - 1)) == marker - 1};
}

}  // namespace

ContainerView view_matroska(ContainerBytes& in) {
  ContainerView view{.patches = {}, .end_bytes = in.size()};
  if (in.big_endian(0, 4) != ebml_id) return view;
  bool is_inside = false;  // of a segment of unknown length
  for (int64_t at = 0; at < in.size();) {
    const auto id = number_at(in, at, true);
    const bool is_known = id && (!is_inside || std::find(inner_ids.begin(), inner_ids.end(),
                                                         id->value) != inner_ids.end());
    if (!is_known) {  // bytes behind the last element
      view.end_bytes = at;
      break;
    }
    const auto length = number_at(in, at + id->bytes, false);
    if (!length) fail_cut_off(in, 2, in.size() - at, "bytes or more in the last element");
    const int64_t begin = at + id->bytes + length->bytes;
    if (length->is_unknown && (id->value == segment_id || id->value == cluster_id)) {
      is_inside = true;
      at = begin;
      continue;
    }
    const int64_t there = in.size() - begin;
    if (length->value > static_cast<uint64_t>(there)) {
      fail_cut_off(in, length->value, there, "bytes in an element");
    }
    if (id->value == segment_id) break;  // nothing behind it is of this recording
    at = begin + static_cast<int64_t>(length->value);
  }
  return view;
}

}  // namespace flowqat::io

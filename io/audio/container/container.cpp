#include "io/audio/container/container.h"

#include <algorithm>
#include <array>

#include "io/audio/container/stated.h"
#include "io/files/error.h"

namespace flowqat::io {
namespace {

struct Reader {
  std::string_view format;  ///< libavformat's demuxer
  ContainerView (*view)(ContainerBytes&);
};

/// Tags and pictures behind the audio of a file whose true length looks like a placeholder.
constexpr int64_t most_trailer_bytes = 1 << 20;

constexpr std::array readers{
    Reader{"wav", view_riff},   Reader{"avi", view_riff},
    Reader{"w64", view_wave64}, Reader{"aiff", view_aiff},
    Reader{"caf", view_caf},    Reader{"au", view_au},
    Reader{"sox", view_sox},    Reader{"voc", view_voc},
    Reader{"wv", view_wavpack}, Reader{"mp3", view_mpeg_audio},
    Reader{"ogg", view_ogg},    Reader{"mov,mp4,m4a,3gp,3g2,mj2", view_mp4},
    Reader{"asf", view_asf},    Reader{"rm", view_real},
    Reader{"flv", view_flv},    Reader{"matroska,webm", view_matroska},
};

std::vector<uint8_t> little_endian_bytes(int count, uint64_t value) {
  std::vector<uint8_t> bytes;
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
  return bytes;
}

}  // namespace

bool is_placeholder(uint64_t bytes) {
  struct Range {
    uint64_t first, last;
  };
  constexpr uint64_t near = 1 << 16;
  constexpr std::array ranges{Range{0, 0},
                              Range{0x7f000000 - near, 0x7f000000 + near},
                              Range{0x7fffffff - near, 0x80000000 + near},
                              Range{0xffffffff - near, 0xffffffff},
                              Range{2'000'000'000 - near, 2'000'000'000 + near},
                              Range{0x7fffffffffffffff - near, 0x7fffffffffffffff},
                              Range{UINT64_MAX - near, UINT64_MAX}};
  return std::any_of(ranges.begin(), ranges.end(), [bytes](const Range& range) {
    return range.first <= bytes && bytes <= range.last;
  });
}

void fail_cut_off(const ContainerBytes& in, uint64_t stated, int64_t there,
                  const std::string& what) {
  throw Error(in.file().path(), "the header promises " + std::to_string(stated) + " " + what +
                                    ", the file holds " + std::to_string(there) +
                                    "; it is cut off or damaged, copy it again from its source");
}

void fail_changed(const InputFile& file, const StreamFormat& from, const StreamFormat& to) {
  const auto text = [](const StreamFormat& format) {
    return std::to_string(format.rate_hz) + " Hz, " + std::to_string(format.channels) +
           " channel(s)" + (format.bits > 0 ? ", " + std::to_string(format.bits) + " bits" : "");
  };
  throw Error(file.path(), "changes midway from " + text(from) + " to " + text(to) +
                               ": it is several recordings in one file; convert it, or take "
                               "it apart");
}

int64_t audio_bytes(const ContainerBytes& in, int64_t begin, uint64_t stated) {
  const int64_t there = std::max<int64_t>(in.size() - begin, 0);
  const bool is_open = is_placeholder(stated);
  if (stated <= static_cast<uint64_t>(there) && stated != 0) {
    const int64_t behind = there - static_cast<int64_t>(stated);
    // Who did not know the length may well have written more than the placeholder says.
    return is_open && behind > most_trailer_bytes ? there : static_cast<int64_t>(stated);
  }
  if (is_open) return there;
  fail_cut_off(in, stated, there);
}

ContainerView::Patch little_endian_patch(int64_t offset, int count, uint64_t value) {
  return {offset, little_endian_bytes(count, value)};
}

ContainerView::Patch big_endian_patch(int64_t offset, int count, uint64_t value) {
  std::vector<uint8_t> bytes = little_endian_bytes(count, value);
  std::reverse(bytes.begin(), bytes.end());
  return {offset, std::move(bytes)};
}

ContainerView view_container(const InputFile& file, std::string_view format) {
  const auto found = std::find_if(readers.begin(), readers.end(), [format](const Reader& reader) {
    return reader.format == format;
  });
  if (found == readers.end()) return {.patches = {}, .end_bytes = file.size_bytes()};
  ContainerBytes bytes(file);
  return found->view(bytes);
}

}  // namespace flowqat::io

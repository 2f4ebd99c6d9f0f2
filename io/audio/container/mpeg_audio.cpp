/// MPEG audio (layers I to III): frames that each state their length, and in the first of them, if
/// its encoder wrote such a header, how many there are. ISO/IEC 11172-3 and 13818-3; the headers
/// "Xing", "Info" and "VBRI" as in Gabriel Bouvigne's "MP3 info tag revision 1" and Fraunhofer's.
#include <algorithm>
#include <array>
#include <optional>

#include "io/audio/container/stated.h"
#include "io/files/error.h"

namespace flowqat::io {
namespace {

constexpr int64_t frame_header_bytes = 4;
/// What is taken for audio behind bytes that are none must go on as audio for so many frames.
constexpr int convincing_frames = 3;

struct Frame {
  int64_t bytes = 0;
  int64_t side_bytes = 0;  ///< of layer III, between header and audio
  uint32_t kind = 0;       ///< version, layer and rate, which are the same in all frames
  StreamFormat format;
};

std::optional<Frame> frame_at(ContainerBytes& in, int64_t offset) {
  const auto header = static_cast<uint32_t>(in.big_endian(offset, 4));
  const uint32_t version = header >> 19 & 3, layer = 4 - (header >> 17 & 3);
  const uint32_t rate_code = header >> 10 & 3, bit_rate_code = header >> 12 & 15;
  constexpr uint32_t sync = 0xffe00000, no_version = 1, no_layer = 4, no_rate = 3;
  if ((header & sync) != sync || version == no_version || layer == no_layer ||
      rate_code == no_rate || bit_rate_code == 0 || bit_rate_code == 15) {
    return std::nullopt;
  }
  const bool is_mpeg_1 = version == 3;
  constexpr std::array<std::array<int, 15>, 5> kbit_s{{
      {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
      {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
      {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
      {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
      {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
  }};
  constexpr std::array rates_hz{44100, 48000, 32000};
  const size_t row = is_mpeg_1 ? layer - 1 : layer == 1 ? 3 : 4;
  const int bit_rate = kbit_s[row][bit_rate_code] * 1000;
  const int rate_hz = rates_hz[rate_code] >> (is_mpeg_1 ? 0 : version == 2 ? 1 : 2);
  const int padding = header >> 9 & 1;
  Frame frame;
  if (layer == 1) {
    frame.bytes = (12 * bit_rate / rate_hz + padding) * 4;
  } else {
    const int samples = layer == 3 && !is_mpeg_1 ? 576 : 1152;
    frame.bytes = samples / 8 * bit_rate / rate_hz + padding;
  }
  const bool is_mono = (header >> 6 & 3) == 3;
  frame.side_bytes = is_mpeg_1 ? (is_mono ? 17 : 32) : (is_mono ? 9 : 17);
  frame.format = {.rate_hz = rate_hz, .channels = is_mono ? 1 : 2};
  frame.kind = header & 0xfffe0c00;
  return frame;
}

/// Whether as many frames of one kind as convince follow one another from `offset`, or those that
/// the file's end leaves room for.
bool is_audio(ContainerBytes& in, int64_t offset) {
  uint32_t kind = 0;
  for (int i = 0; i < convincing_frames; ++i) {
    if (i > 0 && offset == in.size()) return true;
    const auto frame = frame_at(in, offset);
    if (!frame || (i > 0 && frame->kind != kind)) return false;
    kind = frame->kind;
    offset += frame->bytes;
  }
  return true;
}

/// The next frame at or behind `offset`; the file's size if there is none.
int64_t next_audio(ContainerBytes& in, int64_t offset) {
  constexpr size_t piece_bytes = 4096;
  while (offset < in.size()) {
    const auto piece = in.at(offset, piece_bytes);
    if (piece.size() < size_t{frame_header_bytes}) break;
    size_t i = 0;
    const size_t last = piece.size() - size_t{frame_header_bytes};
    const auto may_begin = [&] {
      return piece[i] == 0xff && (piece[i + 1] & 0xe0) == 0xe0 && (piece[i + 2] & 0xf0) != 0xf0;
    };
    while (i <= last && !may_begin()) ++i;
    const bool is_found = i <= last;
    offset += static_cast<int64_t>(i);  // `piece` does not outlive what is asked next
    if (is_found && is_audio(in, offset)) return offset;
    if (is_found) ++offset;
  }
  return in.size();
}

/// What the first frame says of all of them.
struct Promise {
  int64_t frames = 0, bytes = 0;  ///< without and with the frame that says it; 0: not said
};

std::optional<Promise> promise_in(ContainerBytes& in, int64_t offset, const Frame& frame) {
  const auto number = [&in](int64_t at) { return static_cast<int64_t>(in.big_endian(at, 4)); };
  const int64_t xing = offset + frame_header_bytes + frame.side_bytes;
  if (in.has(xing, "Xing") || in.has(xing, "Info")) {
    const int64_t flags = number(xing + 4);
    const bool has_frames = (flags & 1) != 0, has_bytes = (flags & 2) != 0;
    return Promise{has_frames ? number(xing + 8) : 0,
                   has_bytes ? number(xing + (has_frames ? 12 : 8)) : 0};
  }
  const int64_t vbri = offset + frame_header_bytes + 32;
  if (in.has(vbri, "VBRI")) return Promise{number(vbri + 14), number(vbri + 10)};
  return std::nullopt;
}

int64_t behind_id3v2(ContainerBytes& in) {
  constexpr int64_t header_bytes = 10;
  int64_t offset = 0;
  while (in.has(offset, "ID3")) {
    int64_t body = 0;
    for (int i = 6; i < 10; ++i) {
      body = body << 7 | static_cast<int64_t>(in.big_endian(offset + i, 1) & 0x7f);
    }
    const bool has_footer = (in.big_endian(offset + 5, 1) & 0x10) != 0;
    offset += header_bytes + body + (has_footer ? header_bytes : 0);
  }
  return offset;
}

}  // namespace

ContainerView view_mpeg_audio(ContainerBytes& in) {
  const int64_t begin = next_audio(in, behind_id3v2(in));
  int64_t at = begin, end = begin, frames = 0;
  std::optional<StreamFormat> format;
  std::optional<Promise> promise;
  while (at < in.size()) {
    const auto frame = frame_at(in, at);
    if (!frame) {
      // Tags and zeros behind the audio are none of it; what lies between is for the decoder.
      at = next_audio(in, at);
      continue;
    }
    if (at + frame->bytes > in.size()) {
      fail_cut_off(in, static_cast<uint64_t>(frame->bytes), in.size() - at,
                   "bytes in the last MPEG frame");
    }
    if (frames == 0 && !promise && (promise = promise_in(in, at, *frame))) {
      at += frame->bytes;
      end = at;
      continue;  // no audio
    }
    if (!format) format = frame->format;
    if (frame->format != *format && is_audio(in, at))
      fail_changed(in.file(), *format, frame->format);
    ++frames;
    end = at += frame->bytes;
  }
  // Of a free bit rate, or nothing that is understood here.
  if (frames == 0) return {.patches = {}, .end_bytes = in.size()};
  // Some encoders count the frame that says it too; then the bytes tell.
  const bool is_short = promise && (frames + 1 < promise->frames ||
                                    (frames < promise->frames && end - begin < promise->bytes));
  if (is_short) {
    fail_cut_off(in, static_cast<uint64_t>(promise->frames), frames, "MPEG frames");
  }
  return {.patches = {}, .end_bytes = end};
}

}  // namespace flowqat::io

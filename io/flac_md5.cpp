#include "io/flac_md5.h"

extern "C" {
#include <libavutil/md5.h>
}

#include "io/error.h"

namespace flowqat::io {
namespace {

std::string hex(const std::array<uint8_t, 16>& digest) {
  std::string text;
  for (const uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

/// libavcodec puts the bits of a sample at the top of its integer.
template <class T>
void append(const AVFrame& frame, int bits, std::vector<uint8_t>& bytes) {
  const auto* samples = reinterpret_cast<const T*>(frame.data[0]);
  const auto count =
      static_cast<size_t>(frame.nb_samples) * static_cast<size_t>(frame.ch_layout.nb_channels);
  const int shift = static_cast<int>(8 * sizeof(T)) - bits, sample_bytes = (bits + 7) / 8;
  bytes.resize(count * static_cast<size_t>(sample_bytes));
  uint8_t* out = bytes.data();
  for (size_t i = 0; i < count; ++i) {
    const auto sample = static_cast<uint32_t>(static_cast<int32_t>(samples[i]) >> shift);
    for (int b = 0; b < sample_bytes; ++b) *out++ = static_cast<uint8_t>(sample >> (8 * b));
  }
}

}  // namespace

void FlacMd5::Free::operator()(AVMD5* md5) const { av_free(md5); }

FlacMd5::FlacMd5(const FlacHeader& header)
    : stated_(header.md5), bits_(header.bits), md5_(allocated(av_md5_alloc())) {
  av_md5_init(md5_.get());
}

void FlacMd5::add(const AVFrame& frame) {
  if (frame.format == AV_SAMPLE_FMT_S32) {
    append<int32_t>(frame, bits_, bytes_);
  } else {
    append<int16_t>(frame, bits_, bytes_);
  }
  av_md5_update(md5_.get(), bytes_.data(), bytes_.size());
}

void FlacMd5::check(const std::filesystem::path& path) {
  if (stated_ == std::array<uint8_t, 16>{}) return;
  std::array<uint8_t, 16> found{};
  av_md5_final(md5_.get(), found.data());
  if (found != stated_) {
    throw Error(path, "the samples' MD5 is " + hex(found) + ", the header promises " +
                          hex(stated_) + "; the file was changed, copy it again from its source");
  }
}

}  // namespace flowqat::io

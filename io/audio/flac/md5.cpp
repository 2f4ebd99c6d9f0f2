#include "io/audio/flac/md5.h"

extern "C" {
#include <libavutil/md5.h>
#include <libavutil/mem.h>
}

#include <new>

#include "io/files/error.h"

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

}  // namespace

void FlacMd5::Free::operator()(AVMD5* md5) const { av_free(md5); }

FlacMd5::FlacMd5(const FlacHeader& header) : stated_(header.md5), md5_(av_md5_alloc()) {
  if (!md5_) throw std::bad_alloc();
  av_md5_init(md5_.get());
}

void FlacMd5::add(const FlacBlock& block) {
  const int sample_bytes = (block.bits() + 7) / 8;
  bytes_.resize(static_cast<size_t>(block.samples() * block.channels() * sample_bytes));
  uint8_t* out = bytes_.data();
  for (int i = 0; i < block.samples(); ++i) {
    for (int c = 0; c < block.channels(); ++c) {
      const auto sample = static_cast<uint32_t>(block.channel(c)[static_cast<size_t>(i)]);
      for (int b = 0; b < sample_bytes; ++b) *out++ = static_cast<uint8_t>(sample >> (8 * b));
    }
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

/// Real FLAC files against another decoder: the MD5 in STREAMINFO, and the flac tool's samples.
extern "C" {
#include <libavutil/md5.h>
}

#include <algorithm>
#include <array>
#include <cstring>

#include "io/audio/audio_file.h"
#include "io/audio/av_file.h"
#include "io/audio/flac/block.h"
#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

using Digest = std::array<uint8_t, 16>;

/// MD5 over interleaved little-endian samples of whole bytes (RFC 9639, section 8.2).
class SampleDigest {
 public:
  explicit SampleDigest(int bits) : bits_(bits), md5_(av_md5_alloc()) { av_md5_init(md5_); }
  ~SampleDigest() { av_free(md5_); }
  SampleDigest(const SampleDigest&) = delete;
  SampleDigest& operator=(const SampleDigest&) = delete;

  void add(const AVFrame& frame) {
    const bool wide = frame.format == AV_SAMPLE_FMT_S32;
    REQUIRE((wide || frame.format == AV_SAMPLE_FMT_S16));
    const int count = frame.nb_samples * frame.ch_layout.nb_channels;
    // FFmpeg puts the bits at the top.
    for (int i = 0; i < count; ++i) {
      append(wide ? reinterpret_cast<const int32_t*>(frame.data[0])[i] >> (32 - bits_)
                  : reinterpret_cast<const int16_t*>(frame.data[0])[i] >> (16 - bits_));
    }
    update();
  }
  void add(const FlacBlock& block) {
    for (size_t i = 0; i < static_cast<size_t>(block.samples()); ++i) {
      for (int c = 0; c < block.channels(); ++c) append(block.channel(c)[i]);
    }
    update();
  }
  Digest finish() {
    Digest digest{};
    av_md5_final(md5_, digest.data());
    return digest;
  }

 private:
  void append(int32_t sample) {
    for (int b = 0; b < (bits_ + 7) / 8; ++b) {
      bytes_.push_back(static_cast<uint8_t>(sample >> (8 * b)));
    }
  }
  void update() {
    av_md5_update(md5_, bytes_.data(), bytes_.size());
    bytes_.clear();
  }

  int bits_;
  AVMD5* md5_;
  std::vector<uint8_t> bytes_;
};

Digest stated_digest(const std::filesystem::path& path, const FlacHeader& header) {
  const std::string bytes = read_bytes(path);
  Digest digest{};
  std::memcpy(digest.data(), bytes.data() + header.offset_bytes + 8 + 18, digest.size());
  return digest;
}

std::vector<std::filesystem::path> flac_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".flac") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TEST_CASE("every file of the IETF decoder testbench gives the samples of its MD5", "[level]") {
  const auto folder = test_data("flac-testbench/subset");
  if (folder.empty()) return;
  const auto files = flac_files(folder);
  CHECK(files.size() == 52);
  for (const auto& path : files) {
    INFO(path);
    const InputFile file(path);
    const auto header = read_flac_header(file);
    REQUIRE(header);
    SampleDigest demuxed(header->bits);
    decode_av(InputFile(path), [&](const AVFrame& frame) { demuxed.add(frame); });
    CHECK(demuxed.finish() == stated_digest(path, *header));
    SampleDigest own(header->bits);
    decode_flac(file, *header, [&](const FlacBlock& block, int64_t) { own.add(block); });
    CHECK(own.finish() == stated_digest(path, *header));
    const AudioInfo info = read_audio_info(path);
    std::vector<float> mono(static_cast<size_t>(info.samples));
    decode_audio(path, info, mono);
  }
}

TEST_CASE("LibriSpeech decodes to the flac tool's samples over 32768", "[level]") {
  const auto folder = test_data("librispeech/LibriSpeech");
  if (folder.empty() || !have("flac")) return;
  const auto files = flac_files(folder);
  REQUIRE(files.size() >= 100);
  for (size_t i = 0; i < files.size(); i += 9) {
    INFO(files[i]);
    const std::string raw = run("flac -dcs --force-raw-format --endian=little --sign=signed '" +
                                files[i].string() + "'");
    const AudioInfo info = read_audio_info(files[i]);
    std::vector<float> mono(static_cast<size_t>(info.samples));
    decode_audio(files[i], info, mono);
    REQUIRE(raw.size() == mono.size() * 2);
    const auto* words = reinterpret_cast<const int16_t*>(raw.data());
    size_t equal = 0;
    for (size_t s = 0; s < mono.size(); ++s) equal += mono[s] == words[s] / 32768.0f;
    CHECK(equal == mono.size());
  }
}

/// FLAC files with tags, without a total, with damage, cut off, and very large.
#include <random>

#include "io/audio/audio_file.h"
#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

/// 100 bytes of items, and a footer of 32 bytes that counts both.
std::string ape_tag() {
  return std::string(100, '\xff') + "APETAGEX" + std::string("\xd0\7\0\0\x84\0\0\0\1\0\0\0", 12) +
         std::string(12, '\0');
}

}  // namespace

TEST_CASE("tags before and behind the audio of a FLAC change nothing", "[level]") {
  if (!have("flac")) return;
  TemporaryFolder folder;
  const auto flac = make_flac(folder, 30000, 1);
  const auto plain = decode(flac);
  const std::string bytes = read_bytes(flac);
  const std::string id3v2 = std::string("ID3\4\0\0\0\0\1\0", 10) + std::string(128, 'x');
  const std::string id3v1 = "TAG" + std::string(125, ' ');
  const std::string ape = ape_tag();
  for (const std::string& content : {id3v2 + bytes, id3v2 + id3v2 + bytes, bytes + id3v1,
                                     bytes + ape + id3v1, id3v2 + bytes + id3v1, bytes + "\n"}) {
    write_bytes(folder / "tagged.flac", content);
    CHECK(decode(folder / "tagged.flac") == plain);
  }
  CHECK(decode(flac) == plain);  // the decoders that met a tag left nothing behind
}

TEST_CASE("one wrong byte anywhere in the frames of a FLAC is an error that names the file",
          "[level]") {
  if (!have("flac")) return;
  TemporaryFolder folder;
  const auto flac = make_flac(folder, 20000, 1);
  const std::string bytes = read_bytes(flac);
  const AudioInfo info = read_audio_info(flac);
  std::vector<float> mono(static_cast<size_t>(info.samples));
  // Frames begin behind the last metadata block.
  size_t begin = 4;
  for (bool last = false; !last;) {
    const auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[begin + i]); };
    last = at(0) >= 0x80;
    begin += 4 + static_cast<size_t>(at(1) << 16 | at(2) << 8 | at(3));
  }
  REQUIRE(begin < bytes.size());
  const auto broken = folder / "broken.flac";
  int undetected = 0, tried = 0;
  for (size_t at = begin; at < bytes.size();
       at += at < begin + 64 || at + 64 > bytes.size() ? 1 : 13) {
    for (const char flip : {'\1', '\x80', '\xff'}) {
      std::string damaged = bytes;
      damaged[at] ^= flip;
      write_bytes(broken, damaged);
      ++tried;
      try {
        decode_audio(broken, info, mono);
        ++undetected;
      } catch (const Error& error) {
        if (std::string(error.what()).find(broken.string()) == std::string::npos) ++undetected;
      }
    }
  }
  CHECK(tried > 1000);
  CHECK(undetected == 0);
}

TEST_CASE("a FLAC that does not state its total is counted, and damage is still an error",
          "[level]") {
  if (!have("flac")) return;
  TemporaryFolder folder;
  const auto flac = make_flac(folder, 30000, 1);
  const auto plain = decode(flac);
  std::string bytes = read_bytes(flac);
  bytes[21] = static_cast<char>(bytes[21] & 0xf0);  // the total's highest 4 bits of 36
  bytes.replace(22, 4, 4, '\0');
  write_bytes(flac, bytes);
  CHECK(read_audio_info(flac) == AudioInfo{30000, 16000, 1});
  CHECK(decode(flac) == plain);
  write_bytes(folder / "tagged.flac", bytes + ape_tag() + "TAG" + std::string(125, ' '));
  CHECK(decode(folder / "tagged.flac") == plain);
  int undetected = 0;
  for (size_t at = bytes.size() / 2; at < bytes.size(); at += 101) {
    std::string damaged = bytes;
    damaged[at] ^= 0x10;
    write_bytes(folder / "broken.flac", damaged);
    try {
      undetected += decode(folder / "broken.flac") != plain;
    } catch (const Error&) {
    }
  }
  CHECK(undetected == 0);
}

TEST_CASE("a FLAC that is too large for one packet decodes as a small one does", "[.large]") {
  if (!have("flac")) return;
  TemporaryFolder folder;
  constexpr int64_t samples = 140'000'000;
  {
    std::mt19937_64 noise(1);
    std::vector<uint64_t> words(samples / 4);  // noise does not compress: more than 2^28 bytes
    for (uint64_t& word : words) word = noise();
    const auto bytes = std::as_bytes(std::span(words));
    write_bytes(folder / "large.raw", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  run("flac --silent -0 --force-raw-format --endian=little --sign=signed --bps=16 "
      "--sample-rate=48000 --channels=1 " +
      (folder / "large.raw").string());
  const auto flac = folder / "large.flac";
  REQUIRE(std::filesystem::file_size(flac) > uintmax_t{1} << 28);
  const std::string raw = read_bytes(folder / "large.raw");
  const auto* words = reinterpret_cast<const int16_t*>(raw.data());
  const auto mono = decode(flac);
  REQUIRE(mono.size() == samples);
  size_t equal = 0;
  for (size_t i = 0; i < mono.size(); ++i) equal += mono[i] == words[i] / 32768.0f;
  CHECK(equal == mono.size());
}

TEST_CASE("a FLAC cut off anywhere is an error that names the file", "[level]") {
  if (!have("flac")) return;
  TemporaryFolder folder;
  const auto flac = make_flac(folder, 20000, 1);
  const std::string bytes = read_bytes(flac);
  const AudioInfo info = read_audio_info(flac);
  std::vector<float> mono(static_cast<size_t>(info.samples));
  const auto broken = folder / "broken.flac";
  for (size_t size = 0; size < bytes.size();
       size += size < 100 || size + 40 > bytes.size() ? 1 : 211) {
    write_bytes(broken, bytes.substr(0, size));
    const auto text = error_of([&] { decode_audio(broken, info, mono); });
    if (text.find(broken.string()) == std::string::npos) FAIL(size << " bytes: " << text);
  }
}

/// Audio that is only a part of a file: segments of long recordings, and members of archives.
#include "tests/io/audio/parts.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

TEST_CASE("segments are cut out of FLAC sample by sample, wherever they begin") {
  const TemporaryFolder folder, other;
  check_parts(make_flac(folder, 200'000, 1));
  check_parts(make_flac(other, 9'000, 2));
  if (!have("flac")) return;
  // Long enough for the bisection, with small blocks and noise that is full of false frame starts.
  write_bytes(folder / "n.wav", wav_bytes(test_signal(1'500'000, 2), 44100, 2));
  run("flac --totally-silent -f -b 192 -o '" + (folder / "n.flac").string() + "' '" +
      (folder / "n.wav").string() + "'");
  check_parts(folder / "n.flac");
}

TEST_CASE("segments of every conformance file are those of the whole file") {
  const auto files = test_data("flac-testbench/subset");
  if (files.empty()) return;
  int checked = 0;
  for (const auto& file : std::filesystem::directory_iterator(files)) {
    if (file.path().extension() != ".flac") continue;
    const AudioInfo info = read_audio_info(file.path());
    if (info.samples < 20'000) continue;
    const std::vector<float> whole = decode(file.path());
    const int64_t first = info.samples / 3;
    const auto part = decode_part(file.path(), first, 9'000);
    INFO(file.path());
    const auto begin = whole.begin() + first;
    CHECK(std::equal(part.begin(), part.end(), begin, begin + 9'000));
    ++checked;
  }
  CHECK(checked > 40);
}

TEST_CASE("segments of PCM and of compressed audio are those of the whole file") {
  const TemporaryFolder folder;
  write_bytes(folder / "a.wav", wav_bytes(test_signal(100'000, 2), 16000, 2));
  check_parts(folder / "a.wav");
  if (!have("sox")) return;
  run("sox '" + (folder / "a.wav").string() + "' '" + (folder / "a.ogg").string() + "'");
  check_parts(folder / "a.ogg");
}

TEST_CASE("a segment's damage and its end behind the recording's are errors") {
  const TemporaryFolder folder;
  const auto flac = make_flac(folder, 200'000, 1);
  CHECK_THAT(error_of([&] { decode_part(flac, 190'000, 20'000); }),
             ContainsSubstring("decoded 10000 samples, the segment from sample 190000 has 20000"));
  std::string bytes = read_bytes(flac);
  for (size_t i = 0; i < 40; ++i) bytes[bytes.size() / 2 + i] ^= 0x55;
  write_bytes(folder / "broken.flac", bytes);
  CHECK_THAT(error_of([&] { decode_part(folder / "broken.flac", 90'000, 30'000); }),
             ContainsSubstring("broken.flac: broken FLAC frame"));
  // What is far from the damage is sound, and found without reading it.
  CHECK(decode_part(folder / "broken.flac", 1000, 9000) == decode_part(flac, 1000, 9000));
  CHECK(decode_part(folder / "broken.flac", 190'000, 9000) == decode_part(flac, 190'000, 9000));
}

TEST_CASE("a file inside another reads as if it stood alone, in any format") {
  const TemporaryFolder folder;
  const auto flac = make_flac(folder, 20'000, 1);
  write_bytes(folder / "a.wav", wav_bytes(test_signal(20'000, 1), 16000, 1));
  for (const auto& file : {flac, folder / "a.wav"}) {
    const std::string inner = read_bytes(file);
    write_bytes(folder / "outer", std::string(777, 'x') + inner + std::string(999, 'y'));
    AudioPlace place(folder / "outer");
    place.first_byte = 777;
    place.bytes = static_cast<int64_t>(inner.size());
    const AudioInfo info = read_audio_info(place);
    REQUIRE(info == read_audio_info(file));
    std::vector<float> mono(static_cast<size_t>(info.samples));
    decode_audio(place, info, mono);
    CHECK(mono == decode(file));
    place.first_sample = 5000;
    const AudioInfo part{9000, info.rate_hz, info.channels};
    mono.resize(9000);
    decode_audio(place, part, mono);
    CHECK(mono == decode_part(file, 5000, 9000));
    place.bytes += 100'000;
    CHECK_THAT(error_of([&] { read_audio_info(place); }), ContainsSubstring("cut off or replaced"));
  }
}

TEST_CASE("the MD5 of a whole FLAC file is verified where that is asked for") {
  const TemporaryFolder folder;
  const auto flac = make_flac(folder, 9'000, 2);
  const AudioInfo info = read_audio_info(flac);
  std::vector<float> mono(static_cast<size_t>(info.samples));
  decode_audio(flac, info, mono, true);
  std::string bytes = read_bytes(flac);
  bytes[8 + 18] ^= 1;  // the first byte of the MD5
  write_bytes(folder / "other.flac", bytes);
  decode_audio(folder / "other.flac", info, mono);
  CHECK_THAT(error_of([&] { decode_audio(folder / "other.flac", info, mono, true); }),
             ContainsSubstring("other.flac: the samples' MD5 is"));
  for (size_t i = 0; i < 16; ++i) bytes[8 + 18 + i] = 0;  // not stated
  write_bytes(folder / "none.flac", bytes);
  decode_audio(folder / "none.flac", info, mono, true);
}

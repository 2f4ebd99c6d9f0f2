/// Sound files whose programs did not know how long they would become, and files with more behind
/// their audio than belongs to it.
#include <algorithm>

#include "io/audio/audio_file.h"
#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

std::string number(uint32_t value) {
  return {static_cast<char>(value), static_cast<char>(value >> 8), static_cast<char>(value >> 16),
          static_cast<char>(value >> 24)};
}

std::vector<float> decode_bytes(const TemporaryFolder& folder, const std::string& name,
                                const std::string& bytes) {
  write_bytes(folder / name, bytes);
  return decode(folder / name);
}

}  // namespace

TEST_CASE("a WAV from a pipe is heard whatever stands where its length would") {
  TemporaryFolder folder;
  const std::string wav = wav_bytes(test_signal(3000, 1), 16'000, 1);
  write_bytes(folder / "sound.wav", wav);
  const std::vector<float> sound = decode(folder / "sound.wav");
  for (const uint32_t length : {0u, 0x7ffff000u, 0x7fffffffu, 0x7fffffd3u, 2'000'000'000u,
                                0x80000000u, 0xffffffffu, 0xfffffff0u, 0x7f000000u}) {
    INFO(length);
    std::string open = wav;
    open.replace(40, 4, number(length));
    open.replace(4, 4, number(length == 0 ? 0 : length + 36));
    CHECK(decode_bytes(folder, "open.wav", open) == sound);
    const AudioInfo info = read_audio_info(folder / "open.wav");
    CHECK(info == AudioInfo{3000, 16'000, 1});
    CHECK(segments_are_quick(folder / "open.wav"));
    AudioPlace place(folder / "open.wav");
    place.first_sample = 1234;
    std::vector<float> part(500);
    decode_audio(place, {500, 16'000, 1}, part);
    CHECK(std::equal(part.begin(), part.end(), sound.begin() + 1234));
  }
}

TEST_CASE("a WAV of another length than its file's is cut off, and one without audio empty") {
  TemporaryFolder folder;
  const std::string wav = wav_bytes(test_signal(3000, 1), 16'000, 1);
  write_bytes(folder / "cut.wav", wav.substr(0, 5000));
  CHECK_THAT(error_of([&] { read_audio_info(folder / "cut.wav"); }),
             ContainsSubstring("promises 6000 bytes of audio, the file holds 4956"));
  const std::string tag = "LIST" + number(4) + "INFO";
  write_bytes(folder / "empty.wav",
              "RIFF" + number(48) + wav.substr(8, 28) + "data" + number(0) + tag);
  CHECK_THAT(error_of([&] { read_audio_info(folder / "empty.wav"); }),
             ContainsSubstring("without a single sample"));
}

TEST_CASE("what sox, ffmpeg and espeak-ng write to a pipe is heard") {
  TemporaryFolder folder;
  write_bytes(folder / "a.wav", wav_bytes(test_signal(3000, 1), 16'000, 1));
  const std::string from = (folder / "a.wav").string();
  const std::vector<float> sound = decode(from);
  const auto heard = [&](const std::string& command, const std::string& name) {
    const std::string path = (folder / name).string();
    run(command + " | cat >'" + path + "'");
    return decode(path);
  };
  if (have("sox")) {
    for (const std::string type : {"wav", "aiff", "aifc", "au", "sox", "sph"}) {
      INFO(type);
      // Through an effect, behind which sox does not know the length.
      CHECK(heard("sox '" + from + "' -t " + type + " - speed 1.0", "piped." + type) == sound);
    }
  }
  if (have("ffmpeg")) {
    for (const std::string type : {"wav", "wav -rf64 always", "aiff", "au", "w64", "caf"}) {
      INFO(type);
      CHECK(heard("ffmpeg -v error -i '" + from + "' -f " + type + " -", "piped") == sound);
    }
  }
  if (have("espeak-ng")) {
    CHECK(heard("espeak-ng --stdout 'one two'", "said.wav").size() > 10'000);
  }
}

TEST_CASE("bytes that are no whole sample at the end of PCM are passed over") {
  TemporaryFolder folder;
  for (const int channels : {1, 2}) {
    const std::string wav = wav_bytes(test_signal(3000, channels), 16'000, channels);
    write_bytes(folder / "sound.wav", wav);
    const std::vector<float> sound = decode(folder / "sound.wav");
    const uint32_t bytes = 6000 * static_cast<uint32_t>(channels);
    for (uint32_t surplus = 1; surplus < 2 * static_cast<uint32_t>(channels); ++surplus) {
      INFO(surplus << " bytes with " << channels << " channels");
      std::string longer = wav + std::string(surplus, '\1');
      CHECK(decode_bytes(folder, "behind.wav", longer) == sound);
      longer.replace(40, 4, number(bytes + surplus));
      CHECK(decode_bytes(folder, "counted.wav", longer) == sound);
      longer.replace(40, 4, number(0xffffffff));
      CHECK(decode_bytes(folder, "open.wav", longer) == sound);
    }
  }
}

TEST_CASE("tags and zeros and other junk behind an MP3 are no audio") {
  if (!have("ffmpeg")) return;
  TemporaryFolder folder;
  write_bytes(folder / "a.wav", wav_bytes(test_signal(48'000, 1), 16'000, 1));
  for (const std::string options : {"", "-b:a 64k -write_xing 0 -id3v2_version 0"}) {
    run("ffmpeg -v error -y -i '" + (folder / "a.wav").string() + "' " + options + " '" +
        (folder / "a.mp3").string() + "'");
    const std::string mp3 = read_bytes(folder / "a.mp3");
    const std::vector<float> sound = decode(folder / "a.mp3");
    const std::string id3v1 = "TAG" + std::string(125, ' ');
    const std::string ape = "APETAGEX" + number(2000) + number(132) + number(1) + number(1u << 31) +
                            std::string(8, '\0') + std::string(100, '\xff') + "APETAGEX" +
                            number(2000) + number(132) + number(1) + number(1u << 31) +
                            std::string(8, '\0');
    std::string noise;
    for (const int16_t sample : test_signal(5000, 1)) noise += static_cast<char>(sample);
    for (const std::string& junk :
         {id3v1, ape, ape + id3v1, std::string(1, '\0'), std::string(5000, '\0'), noise,
          std::string("<html>not found</html>\n"), "LYRICSBEGIN" + std::string(50, 'a') + id3v1}) {
      INFO(junk.substr(0, 8) << ", " << junk.size() << " bytes");
      CHECK(decode_bytes(folder, "behind.mp3", mp3 + junk) == sound);
    }
  }
}

TEST_CASE("bytes behind the audio change nothing in a container that says where it ends") {
  if (!have("ffmpeg") || !have("sox")) return;
  TemporaryFolder folder;
  const std::string from = (folder / "from.wav").string();
  write_bytes(from, wav_bytes(test_signal(20'000, 1), 16'000, 1));
  const std::string junk = "<html>" + std::string(300, '\0') + "not found</html>\n";
  for (const std::string name :
       {"a.wav", "a.w64", "a.aiff", "a.au", "a.caf", "a.sox", "a.sph", "a.voc", "a.ogg", "a.oga",
        "a.opus", "a.m4a", "a.mka", "a.webm", "a.avi", "a.wma", "a.wv", "a.tta", "a.flac"}) {
    INFO(name);
    const std::string tool = name == std::string("a.sph") ? "sox '" + from + "' '"
                                                          : "ffmpeg -v error -i '" + from + "' '";
    run(tool + (folder / name).string() + "'");
    const std::string sound = read_bytes(folder / name);
    CHECK(decode_bytes(folder, "behind-" + std::string(name), sound + junk) ==
          decode(folder / name));
  }
  run("ffmpeg -v error -i '" + from + "' -f matroska - >'" + (folder / "piped.mka").string() + "'");
  CHECK(decode_bytes(folder, "behind.mka", read_bytes(folder / "piped.mka") + junk) ==
        decode(folder / "piped.mka"));
}

/// Segments in every container that seeks, and in those whose headers lie about where samples are.
#include <cstring>

#include "tests/io/audio/parts.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

std::filesystem::path make_wav(const TemporaryFolder& folder, int channels) {
  const auto path = folder / "a.wav";
  write_bytes(path, wav_bytes(test_signal(120'000, channels), 16000, channels));
  return path;
}

/// Puts `value` into the file, little-endian.
void patch(const std::filesystem::path& path, size_t offset, uint64_t value, size_t bytes) {
  std::string content = read_bytes(path);
  std::memcpy(content.data() + offset, &value, bytes);
  write_bytes(path, content);
}

}  // namespace

TEST_CASE("segments of every container are those of the whole file") {
  if (!have("ffmpeg")) return;
  const TemporaryFolder folder;
  const std::string wav = make_wav(folder, 2).string();
  const std::vector<std::pair<std::string, std::string>> makings{{"b.wav", "-c:a pcm_s24le"},
                                                                 {"c.wav", "-c:a pcm_f32le"},
                                                                 {"d.wav", "-c:a pcm_u8"},
                                                                 {"e.wav", "-c:a pcm_alaw"},
                                                                 {"f.wav", "-rf64 always"},
                                                                 {"g.wav", "-c:a adpcm_ms"},
                                                                 {"h.wav", "-c:a adpcm_ima_wav"},
                                                                 {"a.w64", ""},
                                                                 {"a.aiff", ""},
                                                                 {"b.aiff", "-c:a pcm_s32be"},
                                                                 {"a.au", ""},
                                                                 {"b.au", "-c:a pcm_mulaw"},
                                                                 {"a.caf", "-c:a pcm_s16be"},
                                                                 {"b.caf", "-c:a pcm_s24le"},
                                                                 {"a.mov", "-c:a pcm_s16le"},
                                                                 {"b.mov", "-c:a pcm_s24be"},
                                                                 {"a.mkv", "-c:a pcm_s16le"},
                                                                 {"b.mkv", "-c:a flac"},
                                                                 {"a.avi", "-c:a pcm_s16le"},
                                                                 {"a.voc", "-c:a pcm_u8"},
                                                                 {"a.nut", "-c:a pcm_s16le"},
                                                                 {"a.m4a", "-c:a alac"},
                                                                 {"a.ogg", ""},
                                                                 {"a.oga", "-c:a flac"},
                                                                 {"a.mp3", ""},
                                                                 {"a.opus", ""},
                                                                 {"b.m4a", "-c:a aac"},
                                                                 {"a.wv", ""},
                                                                 {"a.tta", ""},
                                                                 {"a.sox", ""}};
  for (const auto& [name, options] : makings) {
    const auto path = folder / name;
    run("ffmpeg -v error -y -i " + wav + " " + options + " " + path.string());
    check_parts(path);
  }
  CHECK(segments_are_quick(folder / "b.wav"));
  CHECK(segments_are_quick(folder / "f.wav"));
  CHECK(segments_are_quick(folder / "a.aiff"));
  CHECK(segments_are_quick(folder / "a.au"));
  CHECK(!segments_are_quick(folder / "a.mp3"));
}

TEST_CASE("segments of what was cut out without decoding are those of the whole file") {
  if (!have("ffmpeg")) return;
  const TemporaryFolder folder;
  const std::string wav = make_wav(folder, 1).string();
  for (const std::string name : {"a.mov", "a.mkv", "a.caf", "a.aiff", "a.m4a", "a.ogg", "a.mp3"}) {
    const std::string from = (folder / name).string(), to = (folder / ("cut-" + name)).string();
    const bool pcm = name == "a.mov" || name == "a.mkv";
    run("ffmpeg -v error -y -i " + wav + (pcm ? " -c:a pcm_s16le " : " ") + from);
    run("ffmpeg -v error -y -ss 1.234 -i " + from + " -c copy " + to);
    check_parts(to);
  }
}

TEST_CASE("segments of WAV do not go by the byte rate in its header") {
  const TemporaryFolder folder;
  for (const int channels : {1, 2}) {
    const auto path = make_wav(folder, channels);
    const std::vector<float> right = decode(path);
    for (const uint64_t rate :
         {0ULL, 1ULL, 16'000ULL, 31'999ULL, 48'000ULL, 1'000'000ULL, 0xffffffffULL}) {
      INFO("a byte rate of " << rate);
      patch(path, 28, rate, 4);
      CHECK(decode(path) == right);
      check_parts(path);
      CHECK(segments_are_quick(path));
    }
  }
}

TEST_CASE("segments of WAV whose block size is wrong are those of the whole file, or refused") {
  const TemporaryFolder folder;
  const auto path = make_wav(folder, 2);
  for (const uint64_t block : {0ULL, 1ULL, 2ULL, 3ULL, 6ULL, 8ULL, 255ULL, 4096ULL}) {
    INFO("blocks of " << block);
    patch(path, 32, block, 2);
    std::vector<float> whole;
    try {
      whole = decode(path);
    } catch (const Error&) {
      continue;
    }
    check_parts(path);
  }
}

TEST_CASE("segments of AU, AIFF and CAF whose headers were changed are those of the whole file") {
  if (!have("ffmpeg")) return;
  const TemporaryFolder folder;
  const std::string wav = make_wav(folder, 2).string();
  for (const std::string name : {"a.au", "a.aiff", "a.caf", "a.w64", "a.mov"}) {
    const auto path = folder / name;
    run("ffmpeg -v error -y -i " + wav + (name == "a.mov" ? " -c:a pcm_s16le " : " ") +
        path.string());
    const std::string bytes = read_bytes(path);
    int heard = 0;
    // Every byte of the header in turn; most of these files are no audio any more.
    for (size_t at = 0; at < 120; ++at) {
      std::string changed = bytes;
      changed[at] ^= 4;
      write_bytes(path, changed);
      std::vector<float> whole;
      try {
        whole = decode(path);
      } catch (const Error&) {
        continue;
      }
      if (whole.size() < 70'000) continue;
      INFO(name << ", byte " << at);
      check_part(path, whole, 1, 5000);
      check_part(path, whole, 50'000, 5000);
      ++heard;
    }
    CHECK(heard > 0);
  }
}

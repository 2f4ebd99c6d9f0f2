/// The channels of a recording: averaged, chosen, or cancelling each other.
#include <cmath>

#include "io/audio/spool.h"
#include "tests/io/audio/parts.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

std::vector<float> decode_channel(AudioPlace place, int channel) {
  const AudioInfo info = read_audio_info(place);
  place.channel = channel;
  std::vector<float> mono(static_cast<size_t>(info.samples));
  decode_audio(place, info, mono);
  return mono;
}

/// A tone with `share` of it, turned by half a wave, in the second channel.
std::vector<int16_t> opposed(double share, double amplitude = 8000) {
  std::vector<int16_t> signal;
  for (int i = 0; i < 32'000; ++i) {
    const double tone = amplitude * std::sin(0.05 * i) * (1 + std::sin(0.001 * i)) / 2;
    signal.push_back(static_cast<int16_t>(std::lround(tone)));
    signal.push_back(static_cast<int16_t>(std::lround(-share * tone)));
  }
  return signal;
}

std::filesystem::path write_wav(const std::filesystem::path& path,
                                const std::vector<int16_t>& interleaved, int channels) {
  write_bytes(path, wav_bytes(interleaved, 16000, channels));
  return path;
}

}  // namespace

TEST_CASE("the chosen channel is heard, of every kind of file, whole and in segments") {
  for (const int channels : {1, 2, 3}) {
    const TemporaryFolder folder;
    const auto signal = test_signal(20'000, channels);
    std::vector<std::filesystem::path> paths{write_wav(folder / "a.wav", signal, channels)};
    if (have("flac")) paths.push_back(make_flac(folder, 20'000, channels));
    for (const auto& path : paths) {
      for (int channel = 0; channel < channels; ++channel) {
        INFO(path << ", channel " << channel << " of " << channels);
        const auto mono = decode_channel(path, channel);
        for (size_t i = 0; i < mono.size(); ++i) {
          REQUIRE(mono[i] ==
                  signal[i * static_cast<size_t>(channels) + static_cast<size_t>(channel)] /
                      32768.0f);
        }
        AudioPlace place(path);
        place.channel = channel;
        const AudioInfo whole = read_audio_info(place);
        place.first_sample = 7777;
        std::vector<float> part(5000);
        decode_audio(place, {5000, whole.rate_hz, whole.channels}, part);
        CHECK(std::equal(part.begin(), part.end(), mono.begin() + 7777));
        place.first_sample.reset();
        const Spool spool = spool_decoded(place, whole);
        CHECK(decode(spool.path()) == mono);
      }
      for (const int channel : {-1, channels, 100}) {
        CHECK_THAT(error_of([&] { decode_channel(path, channel); }),
                   ContainsSubstring("channel " + std::to_string(channel) +
                                     " was asked for, and it has " + std::to_string(channels)));
      }
    }
  }
}

TEST_CASE("the chosen channel of a format with channels apart is the ffmpeg tool's") {
  if (!have("ffmpeg")) return;
  const TemporaryFolder folder;
  const auto wav = write_wav(folder / "a.wav", test_signal(30'000, 2), 2);
  for (const std::string name : {"a.ogg", "a.mp3", "a.m4a"}) {
    const std::string path = (folder / name).string();
    run("ffmpeg -v error -i " + wav.string() + " " + path);
    const std::string raw = run("ffmpeg -v error -i " + path + " -f f32le -c:a pcm_f32le -");
    const auto* words = reinterpret_cast<const float*>(raw.data());
    for (const size_t channel : {0U, 1U}) {
      const auto mono = decode_channel(std::filesystem::path(path), static_cast<int>(channel));
      REQUIRE(mono.size() * 8 == raw.size());
      for (size_t i = 0; i < mono.size(); i += 97) {
        REQUIRE(mono[i] == Approx(words[2 * i + channel]).margin(1e-6));
      }
    }
  }
}

TEST_CASE("channels that cancel each other are told, and each of them can be heard") {
  const TemporaryFolder folder;
  const auto path = write_wav(folder / "a.wav", opposed(1), 2);
  std::vector<std::filesystem::path> paths{path};
  if (have("ffmpeg")) {
    for (const std::string name : {"a.flac", "a.mp3", "a.ogg", "b.wav", "a.mkv"}) {
      const std::string options = name == "b.wav" ? " -c:a pcm_f32le " : " ";
      run("ffmpeg -v error -i " + path.string() + options + (folder / name).string());
      paths.push_back(folder / name);
    }
  }
  for (const auto& file : paths) {
    CHECK_THAT(error_of([&] { decode(file); }),
               ContainsSubstring(file.string() + ": its 2 channels cancel each other") &&
                   ContainsSubstring("--channel"));
    CHECK_THAT(error_of([&] { decode_part(file, 5000, 9000); }),
               ContainsSubstring("cancel each other"));
    const AudioInfo info = read_audio_info(file);
    CHECK_THAT(error_of([&] { spool_decoded(file, info); }),
               ContainsSubstring("cancel each other"));
    double energy = 0;
    for (const float sample : decode_channel(file, 1)) energy += double{sample} * sample;
    CHECK(energy > 50);
  }
}

TEST_CASE("channels that differ are averaged without a word") {
  const TemporaryFolder folder;
  const auto file = folder / "a.wav";
  const auto is_heard = [&](const std::vector<int16_t>& interleaved, int channels) {
    return !decode(write_wav(file, interleaved, channels)).empty();
  };
  CHECK(is_heard(opposed(0), 2));     // one is silent
  CHECK(is_heard(opposed(-1), 2));    // they are the same
  CHECK(is_heard(opposed(0.7), 2));   // louder in one
  CHECK(is_heard(opposed(1, 2), 2));  // hardly more than silence
  CHECK(is_heard(std::vector<int16_t>(64'000), 2));
  CHECK(is_heard(test_signal(20'000, 2), 2));
  std::vector<int16_t> noise;
  uint32_t random = 1;
  for (int i = 0; i < 80'000; ++i) {
    noise.push_back(static_cast<int16_t>((random = random * 1664525 + 1013904223) >> 18));
  }
  CHECK(is_heard(noise, 8));  // nothing to do with one another
  CHECK_THAT(error_of([&] { is_heard(opposed(0.95), 2); }), ContainsSubstring("cancel"));
}

#include "io/audio/audio_file.h"

#include <thread>

#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

/// The averages that decoding `interleaved` must give.
std::vector<float> averages(const std::vector<int16_t>& interleaved, int channels) {
  std::vector<float> out;
  for (size_t i = 0; i < interleaved.size(); i += static_cast<size_t>(channels)) {
    int sum = 0;
    for (int c = 0; c < channels; ++c) sum += interleaved[i + static_cast<size_t>(c)];
    out.push_back(static_cast<float>(sum / (32768.0 * channels)));
  }
  return out;
}

}  // namespace

TEST_CASE("WAV and FLAC give the samples that were written, channels averaged") {
  for (const int channels : {1, 2, 3}) {
    TemporaryFolder folder;
    const auto signal = test_signal(20001, channels);
    write_bytes(folder / "a.wav", wav_bytes(signal, 16000, channels));
    CHECK(read_audio_info(folder / "a.wav") == AudioInfo{20001, 16000, channels});
    CHECK(decode(folder / "a.wav") == averages(signal, channels));
    if (!have("flac")) continue;
    const auto flac = make_flac(folder, 20001, channels);
    CHECK(read_audio_info(flac) == AudioInfo{20001, 16000, channels});
    CHECK(decode(flac) == averages(signal, channels));
  }
}

TEST_CASE("24-bit samples become x / 2^23 exactly") {
  if (!have("sox")) return;
  TemporaryFolder folder;
  const std::string name = (folder / "a").string();
  run("sox -R -n -r 16000 -b 24 " + name + ".flac synth 0.5 sine 440 gain -3");
  run("sox " + name + ".flac -t raw -e signed -b 32 " + name + ".raw");
  const std::string raw = read_bytes(folder / "a.raw");
  const auto* words = reinterpret_cast<const int32_t*>(raw.data());
  const auto mono = decode(folder / "a.flac");
  REQUIRE(mono.size() * 4 == raw.size());
  size_t equal = 0;
  for (size_t i = 0; i < mono.size(); ++i) equal += double{mono[i]} == words[i] / 2147483648.0;
  CHECK(equal == mono.size());
}

TEST_CASE(
    "lossy and streamed containers are counted by decoding and give the ffmpeg tool's samples") {
  if (!have("ffmpeg")) return;
  TemporaryFolder folder;
  write_bytes(folder / "a.wav", wav_bytes(test_signal(30000, 2), 16000, 2));
  const std::string wav = (folder / "a.wav").string();
  for (const std::string name : {"a.ogg", "a.mp3", "a.m4a", "b.oga", "a.aiff", "piped.wav"}) {
    INFO(name);
    const std::string path = (folder / name).string();
    const std::string options = name == "b.oga" ? " -c:a flac " : " ";
    run(name == "piped.wav" ? "ffmpeg -v error -i " + wav + " -f wav - > " + path
                            : "ffmpeg -v error -i " + wav + options + path);
    const std::string raw = run("ffmpeg -v error -i " + path + " -f f64le -c:a pcm_f64le -");
    const auto* words = reinterpret_cast<const double*>(raw.data());
    const auto mono = decode(path);
    REQUIRE(mono.size() * 16 == raw.size());
    for (size_t i = 0; i < mono.size(); i += 97) {
      CHECK(mono[i] == Approx((words[2 * i] + words[2 * i + 1]) / 2).margin(1e-6));
    }
  }
}

TEST_CASE("fewer or more samples than promised, another rate or channel count are errors") {
  TemporaryFolder folder;
  const auto wav = folder / "a.wav";
  write_bytes(wav, wav_bytes(test_signal(1000, 1), 16000, 1));
  std::vector<float> mono(2000);
  const auto with = [&](AudioInfo expected) {
    return error_of([&] {
      decode_audio(wav, expected, std::span(mono).first(static_cast<size_t>(expected.samples)));
    });
  };
  CHECK_THAT(with({1001, 16000, 1}),
             ContainsSubstring("decoded 1000 samples, the header promises 1001"));
  CHECK_THAT(with({999, 16000, 1}), ContainsSubstring("the header promises 999"));
  CHECK_THAT(with({1000, 8000, 1}), ContainsSubstring("expected 8000 Hz"));
  CHECK_THAT(with({1000, 16000, 2}), ContainsSubstring("2 channel(s), found 16000 Hz with 1"));
  CHECK_THAT(error_of([&] {
               decode_audio(wav, {1000, 16000, 1}, mono);
             }),
             ContainsSubstring("room for 2000 samples"));
  if (!have("flac")) return;
  const auto flac = make_flac(folder, 9000, 1);
  std::string bytes = read_bytes(flac);
  bytes[25] = static_cast<char>(bytes[25] + 1);  // the last byte of STREAMINFO's total
  write_bytes(flac, bytes);
  CHECK(read_audio_info(flac).samples == 9001);
  mono.resize(9001);
  CHECK_THAT(error_of([&] {
               decode_audio(flac, {9001, 16000, 1}, mono);
             }),
             ContainsSubstring("decoded 9000 samples, the header promises 9001"));
}

TEST_CASE("missing, empty, foreign and cut off files are errors that say so") {
  TemporaryFolder folder;
  write_bytes(folder / "empty.flac", "");
  write_bytes(folder / "text.flac", "This is no audio, whatever its name says.\n");
  write_bytes(folder / "text.txt", "Nor is this.\n");
  write_bytes(folder / "list.m3u8", "#EXTM3U\n#EXTINF:1,\n/dev/zero\n");
  write_bytes(folder / "short.flac", "fLaC");
  write_bytes(folder / "cut.wav", wav_bytes(test_signal(1000, 1), 16000, 1).substr(0, 1500));
  const auto error = [&](const std::string& name) {
    const auto text = error_of([&] { read_audio_info(folder / name); });
    CHECK_THAT(text, ContainsSubstring((folder / name).string()));
    return text;
  };
  CHECK_THAT(error("missing.flac"), ContainsSubstring("No such file"));
  CHECK_THAT(error("empty.flac"), ContainsSubstring("is empty"));
  CHECK_THAT(error(""), ContainsSubstring("found a folder"));
  CHECK_THAT(error("text.flac"), ContainsSubstring("expected"));
  CHECK_THAT(error("text.txt"), ContainsSubstring("expected"));
  CHECK_THAT(error("list.m3u8"), ContainsSubstring("expected"));
  CHECK_THAT(error("short.flac"), ContainsSubstring("cut off"));
  CHECK_THAT(error("cut.wav"), ContainsSubstring("promises 2000 bytes of audio"));
}

TEST_CASE("many threads decode the same samples as one") {
  if (!have("flac")) return;
  TemporaryFolder folder;
  const auto flac = make_flac(folder, 50000, 2);
  const auto expected = decode(flac);
  std::vector<int> equal(8);
  {
    std::vector<std::jthread> threads;
    for (int& count : equal) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5; ++i) count += decode(flac) == expected;
      });
    }
  }
  CHECK(equal == std::vector<int>(8, 5));
}

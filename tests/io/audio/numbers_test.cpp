/// Samples that are no sound: not a number, infinite, or beyond all measure.
#include <cmath>
#include <cstring>
#include <limits>

#include "io/audio/spool.h"
#include "tests/io/audio/parts.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

/// A tone as floating-point WAV.
template <class T>
std::filesystem::path write_float_wav(const std::filesystem::path& path, int channels, size_t at,
                                      T value) {
  std::vector<T> samples(static_cast<size_t>(20'000 * channels));
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<T>(0.5 * std::sin(0.1 * i));
  samples[at] = value;
  std::string bytes = wav_bytes({}, 16000, channels);
  const auto put = [&](size_t offset, auto number) {
    std::memcpy(bytes.data() + offset, &number, sizeof number);
  };
  const auto data_bytes = static_cast<uint32_t>(samples.size() * sizeof(T));
  const auto frame_bytes = static_cast<uint16_t>(sizeof(T) * static_cast<size_t>(channels));
  put(4, uint32_t{36 + data_bytes}), put(20, uint16_t{3});
  put(28, uint32_t{16000U * frame_bytes}), put(32, frame_bytes);
  put(34, static_cast<uint16_t>(8 * sizeof(T))), put(40, data_bytes);
  bytes.append(reinterpret_cast<const char*>(samples.data()), data_bytes);
  write_bytes(path, bytes);
  return path;
}

}  // namespace

TEST_CASE("a sample that is no number is an error with the file and the sample's number") {
  const TemporaryFolder folder;
  const auto file = folder / "a.wav";
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const int channels : {1, 2}) {
    const size_t at = 12'345 * static_cast<size_t>(channels);
    const auto check = [&](const std::string& said) {
      INFO(said << ", channels " << channels);
      const AudioInfo info = read_audio_info(file);
      const auto is_told =
          ContainsSubstring(file.string() + ": sample 12345, counted from 0, is " + said);
      CHECK_THAT(error_of([&] { decode(file); }), is_told);
      CHECK_THAT(error_of([&] { decode_part(file, 10'000, 5000); }), is_told);
      CHECK_THAT(error_of([&] { spool_decoded(file, info); }), is_told);
      CHECK(decode_part(file, 0, 12'345).size() == 12'345);
      CHECK(decode_part(file, 12'346, 100).size() == 100);
    };
    write_float_wav(file, channels, at, nan), check("not a number");
    write_float_wav(file, channels, at, -nan), check("not a number");
    write_float_wav(file, channels, at, infinity), check("inf");
    write_float_wav(file, channels, at, -infinity), check("inf");
    write_float_wav(file, channels, at, std::numeric_limits<float>::max());
    check(channels == 1 ? "3.40282e+38" : "1.70141e+38");
    write_float_wav(file, channels, at, 1e300), check("inf");  // more than a float holds
    write_float_wav(file, channels, at, std::nan("")), check("not a number");
  }
}

TEST_CASE("samples in the measure of integers and beyond full scale are heard") {
  const TemporaryFolder folder;
  for (const float value : {1.5F, -32768.0F, 8388607.0F, 2147483648.0F, 1e-30F}) {
    CHECK(decode(write_float_wav(folder / "a.wav", 1, 7, value))[7] == value);
  }
}

TEST_CASE("the chosen channel need not care what stands in the others") {
  const TemporaryFolder folder;
  const auto path = write_float_wav(folder / "a.wav", 2, 101, std::nanf(""));
  AudioPlace place(path);
  const AudioInfo info = read_audio_info(place);
  std::vector<float> mono(static_cast<size_t>(info.samples));
  place.channel = 0;
  decode_audio(place, info, mono);
  place.channel = 1;
  CHECK_THAT(error_of([&] { decode_audio(place, info, mono); }), ContainsSubstring("sample 50,"));
}

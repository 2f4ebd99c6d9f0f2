/// FLAC residuals that wrapped around when they were written, as those of some encoders did.
#include <cmath>

#include "io/audio/audio_file.h"
#include "io/audio/flac/block.h"
#include "tests/catch.h"
#include "tests/io/audio/flac/writer.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

constexpr int samples = 4000;

/// Leaps from one end to the other.
std::vector<int64_t> leaping(int bits) {
  std::vector<int64_t> signal;
  const auto top = std::ldexp(1.0, bits - 1) - 1;
  for (int i = 0; i < samples; ++i) {
    const double sign = i / 50 % 2 == 0 ? 1 : -1;
    signal.push_back(static_cast<int64_t>(sign * top * (0.9 + 0.1 * std::sin(0.1 * i))));
  }
  return signal;
}

std::filesystem::path make(const std::filesystem::path& path, int bits, int order, int code) {
  const FlacFormat format{.channels = code == 0 ? 1 : 2, .bits = bits};
  const auto signal = leaping(bits);
  std::vector<Subframe> all(code == 0 ? 1 : 2, {.samples = signal,
                                                .bits = bits,
                                                .kind = Subframe::fixed,
                                                .order = order,
                                                .residual_bits = bits});
  std::string md5_of;
  for (const int64_t sample : signal) {
    for (const auto& channel : all) {
      static_cast<void>(channel);
      for (int byte = 0; byte < (bits + 7) / 8; ++byte) {
        md5_of += static_cast<char>(sample >> (8 * byte));
      }
    }
  }
  if (code >= 8) {  // no difference
    all[1].samples.assign(samples, 0);
    all[1].bits = bits + 1;
  }
  write_bytes(path, md5_of);
  std::string md5;
  const std::string hex = run("md5sum <" + path.string());
  for (size_t i = 0; i < 32; i += 2)
    md5 += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  write_bytes(path, flac_start(format, samples, md5) + flac_frame(0, false, code, all));
  return path;
}

}  // namespace

TEST_CASE("FLAC samples beyond their bits are wrapped back into what the encoder was given") {
  const TemporaryFolder folder;
  for (const int bits : {8, 16, 20, 24}) {
    for (const int order : {1, 2, 4}) {
      for (const int code : {0, 1, 8, 10}) {
        INFO(bits << " bits, order " << order << ", code " << code);
        const auto path = make(folder / "a.flac", bits, order, code);
        const AudioInfo info = read_audio_info(path);
        std::vector<float> mono(samples);
        CHECK(decode_audio(path, info, mono, true).has_wrapped);
        const auto signal = leaping(bits);
        for (size_t i = 0; i < mono.size(); ++i) {
          REQUIRE(mono[i] ==
                  static_cast<float>(std::ldexp(static_cast<double>(signal[i]), 1 - bits)));
        }
        int wrapped_blocks = 0;
        const InputFile file(path);
        decode_flac(file, *read_flac_header(file), [&](const FlacBlock& block, int64_t) {
          wrapped_blocks += block.has_wrapped();
        });
        CHECK(wrapped_blocks == 1);
        if (!have("ffmpeg")) continue;
        // Its SSE code saturates the samples of two channels, its C code wraps them.
        const std::string raw =
            run("ffmpeg -v error -cpuflags 0 -i " + path.string() + " -f f64le -c:a pcm_f64le -");
        const auto* values = reinterpret_cast<const double*>(raw.data());
        const auto channels = static_cast<size_t>(info.channels);
        REQUIRE(raw.size() == 8 * samples * channels);
        for (size_t i = 0; i < mono.size(); ++i)
          REQUIRE(mono[i] == Approx(values[i * channels]).margin(1e-6));
      }
    }
  }
}

TEST_CASE(
    "a FLAC with samples beyond their bits is refused where its MD5 says that they were others") {
  const TemporaryFolder folder;
  const auto path = make(folder / "a.flac", 16, 2, 0);
  std::string bytes = read_bytes(path);
  bytes[8 + 18] ^= 1;  // the first byte of the MD5
  write_bytes(path, bytes);
  CHECK_THAT(error_of([&] { decode(path); }), ContainsSubstring("a.flac: the samples' MD5 is"));
  for (size_t i = 0; i < 16; ++i) bytes[8 + 18 + i] = 0;  // not stated
  write_bytes(path, bytes);
  CHECK(decode(path).size() == samples);
}

/// FLAC of up to 32 bits a sample, where the difference of two channels has 33.
#include <cmath>
#include <random>

#include "io/audio/audio_file.h"
#include "tests/catch.h"
#include "tests/io/audio/flac/writer.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

constexpr int block_samples = 4096, blocks = 3;

using Signal = std::vector<std::vector<int64_t>>;

/// A channel reaches from the lowest value to the highest: as noise, or slowly enough to be
/// predicted.
Signal full_scale_signal(int channels, int bits, bool is_noise) {
  std::mt19937_64 random(static_cast<uint64_t>(bits));
  const auto top = std::ldexp(1.0, bits - 1);
  Signal signal(static_cast<size_t>(channels));
  for (size_t c = 0; c < signal.size(); ++c) {
    for (int i = 0; i < blocks * block_samples; ++i) {
      const double wave = std::sin(0.01 * i + static_cast<double>(c)) * top;
      signal[c].push_back(is_noise ? static_cast<int64_t>(random()) >> (64 - bits)
                                   : static_cast<int64_t>(std::clamp(wave, -top, top - 1)));
    }
  }
  return signal;
}

/// A block of it in the way `code`, as section 4.2 has it.
std::vector<Subframe> subframes_of(const Signal& signal, size_t begin, int code, int bits,
                                   Subframe like) {
  std::vector<Subframe> all(signal.size(), like);
  for (size_t i = begin; i < begin + block_samples; ++i) {
    for (size_t c = 0; c < all.size(); ++c) all[c].samples.push_back(signal[c][i]);
    if (code < 8) continue;
    const int64_t left = signal[0][i], right = signal[1][i], side = left - right;
    if (code == 10) all[0].samples.back() = (left + right) >> 1;
    all[code == 9 ? 0 : 1].samples.back() = side;
  }
  for (Subframe& subframe : all) subframe.bits = bits;
  if (code >= 8) all[code == 9 ? 0 : 1].bits = bits + 1;
  return all;
}

void write_flac(const std::filesystem::path& path, const Signal& signal, int code, int bits,
                const Subframe& like) {
  const FlacFormat format{
      .channels = static_cast<int>(signal.size()), .bits = bits, .block_samples = block_samples};
  std::string bytes = flac_start(format, blocks * block_samples);
  for (int block = 0; block < blocks; ++block) {
    const auto begin = static_cast<size_t>(block * block_samples);
    bytes += flac_frame(block, false, code, subframes_of(signal, begin, code, bits, like));
  }
  write_bytes(path, bytes);
}

std::vector<float> average_of(const Signal& signal, int bits) {
  std::vector<float> mono;
  for (size_t i = 0; i < signal[0].size(); ++i) {
    double sum = 0;
    for (const auto& channel : signal) sum += static_cast<double>(channel[i]);
    mono.push_back(
        static_cast<float>(sum / static_cast<double>(signal.size()) / std::ldexp(1.0, bits - 1)));
  }
  return mono;
}

}  // namespace

TEST_CASE("FLAC of any number of bits gives the samples that were written", "[level]") {
  const TemporaryFolder folder;
  const auto file = folder / "a.flac";
  for (const int bits : {4, 8, 12, 16, 20, 24, 25, 28, 31, 32}) {
    for (const int code : {0, 1, 8, 9, 10}) {
      for (const bool is_noise : {false, true}) {
        const Signal signal = full_scale_signal(code == 0 ? 1 : 2, bits, is_noise);
        for (const Subframe& like :
             {Subframe{.samples = {}}, Subframe{.samples = {}, .kind = Subframe::fixed, .order = 0},
              Subframe{.samples = {}, .kind = Subframe::fixed, .order = 2},
              Subframe{.samples = {}, .kind = Subframe::fixed, .order = 4},
              Subframe{.samples = {}, .kind = Subframe::linear}}) {
          // What cannot be predicted would have residuals beyond what FLAC has room for.
          if (is_noise && like.kind != Subframe::verbatim && (like.order > 0 || bits > 30))
            continue;
          if (is_noise && like.kind == Subframe::linear) continue;
          INFO(bits << " bits, code " << code << ", kind " << like.kind << ", order " << like.order
                    << (is_noise ? ", noise" : ""));
          write_flac(file, signal, code, bits, like);
          REQUIRE(read_audio_info(file) ==
                  AudioInfo{blocks * block_samples, 16000, static_cast<int>(signal.size())});
          REQUIRE(decode(file) == average_of(signal, bits));
        }
      }
    }
  }
}

TEST_CASE("FLAC of 32 bits decodes as the flac tool packed it", "[level]") {
  if (!have("flac")) return;
  const TemporaryFolder folder;
  const std::string name = (folder / "a").string();
  for (const bool is_noise : {false, true}) {
    const Signal signal = full_scale_signal(2, 32, is_noise);
    std::string raw;
    for (size_t i = 0; i < signal[0].size(); ++i) {
      for (const auto& channel : signal) {
        for (int byte = 0; byte < 4; ++byte) raw += static_cast<char>(channel[i] >> (8 * byte));
      }
    }
    write_bytes(name + ".raw", raw);
    run("flac --totally-silent -f --force-raw-format --endian=little --sign=signed --channels=2 "
        "--bps=32 --sample-rate=16000 -8 " +
        name + ".raw");
    const AudioInfo info = read_audio_info(folder / "a.flac");
    std::vector<float> mono(static_cast<size_t>(info.samples));
    decode_audio(folder / "a.flac", info, mono, true);
    CHECK(mono == average_of(signal, 32));
  }
}

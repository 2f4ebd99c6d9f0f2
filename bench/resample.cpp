// What the resamplers cost and how good they are, on one thread, at speed factors 0.9 and 1.1:
//   bench_resample [SECONDS]
// SECONDS of noise (600 if not given) in utterances of 12 s; costs are for 1,000 s of input.
#include "io/resample/resample.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <exception>
#include <random>
#include <string>

#include "io/resample/polyphase.h"
#include "tests/io/resample/resample_quality.h"

namespace {

using namespace flowqat::io;

double cpu_s() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

std::vector<float> noise(size_t samples) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> sample(-0.5f, 0.5f);
  std::vector<float> out(samples);
  for (float& value : out) value = sample(random);
  return out;
}

std::vector<float> room_for(const std::vector<float>& in, double factor) {
  return std::vector<float>(
      static_cast<size_t>(resampled_samples(static_cast<int64_t>(in.size()), 1 / factor)));
}

using Run = std::function<void(std::span<const float>, double ratio, std::span<float>)>;

void measure(const std::string& name, const Run& run, double seconds) {
  const std::vector<float> utterance = noise(12 * 16000);
  const int utterances = std::max(1, static_cast<int>(seconds / 12));
  std::printf("%-24s", name.c_str());
  const test::Resampler resampler = [&](const std::vector<float>& in, double factor) {
    std::vector<float> out = room_for(in, factor);
    run(in, 1 / factor, out);
    return out;
  };
  for (const double factor : {0.9, 1.1}) {
    std::vector<float> out = room_for(utterance, factor);
    run(utterance, 1 / factor, out);  // warms up
    const double start_s = cpu_s();
    for (int i = 0; i < utterances; ++i) run(utterance, 1 / factor, out);
    const double cost_s = (cpu_s() - start_s) * 1000 / (12 * utterances);
    const test::Quality quality = test::quality_of(resampler, factor);
    std::printf("  %.1f: %8.4f s, SNR %5.1f dB, 6.5 kHz %+6.2f dB", factor, cost_s, quality.snr_db,
                quality.gain_6500_db);
  }
  std::printf("  7.8 kHz %.1f dB\n", test::alias_db(resampler, 7800, 1.1));
}

Run with(ResampleOptions options) {
  return [options](std::span<const float> in, double ratio, std::span<float> out) {
    resample(in, ratio, options, out);
  };
}

}  // namespace

int main(int count, char** arguments) {
  try {
    const double seconds = count > 1 ? std::stod(arguments[1]) : 600;
    for (const flowqat::Simd simd : flowqat::simds_here()) {
      if (simd == flowqat::Simd::scalar) continue;
      measure(
          "polyphase " + std::string(flowqat::name_of(simd)),
          [simd](std::span<const float> in, double ratio, std::span<float> out) {
            resample_polyphase(in, polyphase_terms(ratio).value(), out, simd);
          },
          seconds);
    }
    measure(
        "polyphase scalar",
        [](std::span<const float> in, double ratio, std::span<float> out) {
          resample_polyphase(in, polyphase_terms(ratio).value(), out, flowqat::Simd::scalar);
        },
        std::min(seconds, 12.0));
    measure("soxr HQ", with({Engine::soxr}), seconds);
    measure("libsamplerate fastest", with({Engine::libsamplerate, Converter::sinc_fastest}),
            std::min(seconds, 120.0));
    measure("libsamplerate medium", with({Engine::libsamplerate, Converter::sinc_medium}),
            std::min(seconds, 60.0));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_resample: %s\n", error.what());
    return 1;
  }
  return 0;
}

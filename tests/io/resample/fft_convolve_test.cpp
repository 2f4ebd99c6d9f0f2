#include "io/resample/fft_convolve.h"

#include <cmath>
#include <thread>
#include <vector>

#include "tests/catch.h"

using flowqat::io::convolve;

namespace {

std::vector<float> random_samples(size_t count, uint32_t seed) {
  std::vector<float> samples(count);
  for (float& sample : samples) {
    seed = seed * 1664525u + 1013904223u;
    sample = static_cast<float>(seed >> 8) / 8388608.0f - 1;
  }
  return samples;
}

/// The definition, in double precision.
double direct(const std::vector<float>& in, const std::vector<float>& response, size_t delay,
              size_t n) {
  double sum = 0;
  for (size_t k = 0; k < response.size(); ++k) {
    if (n + delay >= k && n + delay - k < in.size()) {
      sum += static_cast<double>(response[k]) * in[n + delay - k];
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("the FFT convolves as the definition does, at any lengths and delays", "[level]") {
  for (size_t in_size : {1, 2, 7, 255, 256, 257, 1000, 5000}) {
    for (size_t response_size : {1, 2, 64, 65, 999, 6000}) {
      const std::vector<float> in = random_samples(in_size, 1);
      const std::vector<float> response = random_samples(response_size, 2);
      for (size_t delay : {size_t{0}, response_size / 2, response_size - 1}) {
        INFO(in_size << " samples, " << response_size << " taps, delay " << delay);
        std::vector<float> out(in_size, 99);
        convolve(in, response, delay, out);
        double worst = 0;
        for (size_t n = 0; n < in_size; n += 1 + in_size / 97) {
          worst = std::max(worst, std::abs(out[n] - direct(in, response, delay, n)));
        }
        REQUIRE(worst < 2e-5);
      }
    }
  }
}

TEST_CASE("a response too long for one transform is convolved in parts", "[level]") {
  const std::vector<float> in = random_samples(70001, 3), response = random_samples(80000, 4);
  std::vector<float> out(in.size());
  convolve(in, response, 40000, out);
  for (size_t n = 0; n < in.size(); n += 3331) {
    REQUIRE(out[n] == Approx(direct(in, response, 40000, n)).margin(2e-3));
  }
}

TEST_CASE("an output may be longer than its input, and nothing gives silence", "[level]") {
  const std::vector<float> in = random_samples(100, 5), response = random_samples(50, 6);
  std::vector<float> out(149);
  convolve(in, response, 0, out);
  CHECK(out[148] == Approx(in[99] * response[49]).margin(1e-5));
  convolve({}, response, 0, out);
  CHECK(out == std::vector<float>(149));
}

TEST_CASE("convolutions on several threads give the same bits", "[level]") {
  const std::vector<float> in = random_samples(20000, 7), response = random_samples(3000, 8);
  std::vector<std::vector<float>> outs(4, std::vector<float>(in.size()));
  {
    std::vector<std::jthread> threads;
    for (auto& out : outs) threads.emplace_back([&] { convolve(in, response, 10, out); });
  }
  for (const auto& out : outs) CHECK(out == outs[0]);
}

#include "io/resample/resample.h"

#include <cmath>
#include <thread>
#include <vector>

#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

std::vector<float> resampled(const std::vector<float>& in, double ratio, Converter converter) {
  std::vector<float> out(
      static_cast<size_t>(resampled_samples(static_cast<int64_t>(in.size()), ratio)));
  resample(in, ratio, converter, out);
  return out;
}

std::vector<float> sine(double cycles_per_sample, size_t samples) {
  std::vector<float> out(samples);
  for (size_t i = 0; i < samples; ++i) {
    out[i] =
        static_cast<float>(0.5 * std::sin(2 * M_PI * cycles_per_sample * static_cast<double>(i)));
  }
  return out;
}

/// Power of the sine of that frequency over the power of everything else, away from the ends.
double snr_db(const std::vector<float>& signal, double cycles_per_sample) {
  const size_t begin = signal.size() / 8, end = signal.size() - begin;
  double ss = 0, cc = 0, sc = 0, xs = 0, xc = 0, xx = 0;
  for (size_t i = begin; i < end; ++i) {
    const double phase = 2 * M_PI * cycles_per_sample * static_cast<double>(i);
    const double s = std::sin(phase), c = std::cos(phase), x = signal[i];
    ss += s * s, cc += c * c, sc += s * c, xs += x * s, xc += x * c, xx += x * x;
  }
  // Least squares for x = a s + b c: gain and phase are fitted.
  const double determinant = ss * cc - sc * sc;
  const double a = (xs * cc - xc * sc) / determinant, b = (xc * ss - xs * sc) / determinant;
  const double fitted = a * xs + b * xc;
  return 10 * std::log10(fitted / std::max(xx - fitted, 1e-30));
}

}  // namespace

TEST_CASE("the length of the output is samples times ratio, rounded to the nearest", "[level]") {
  CHECK(resampled_samples(0, 1.5) == 0);
  CHECK(resampled_samples(16000, 1.0) == 16000);
  CHECK(resampled_samples(9, 1 / 0.9) == 10);
  CHECK(resampled_samples(16000, 1 / 0.9) == 17778);
  CHECK(resampled_samples(16000, 1 / 1.1) == 14545);
  CHECK(resampled_samples(3, 0.5) == 2);
  CHECK(resampled_samples(1, 0.25) == 0);
}

TEST_CASE("every converter keeps a tone above its signal-to-noise ratio", "[level]") {
  // Output rate over input rate; frequency of the tone over the input's rate; least SNR in dB.
  struct Row {
    Converter converter;
    double ratio, frequency, least_db;
  };
  const std::vector<Row> rows{
      {Converter::sinc_best, 1 / 0.9, 0.0625, 137},
      {Converter::sinc_best, 1 / 1.1, 0.0625, 137},
      {Converter::sinc_best, 2.0, 0.25, 137},
      {Converter::sinc_best, 0.5, 0.1, 137},
      {Converter::sinc_medium, 1 / 0.9, 0.0625, 120},
      {Converter::sinc_medium, 1 / 1.1, 0.0625, 120},
      {Converter::sinc_medium, 2.0, 0.25, 115},
      {Converter::sinc_medium, 0.5, 0.1, 120},
      {Converter::sinc_fastest, 1 / 0.9, 0.0625, 98},
      {Converter::sinc_fastest, 1 / 1.1, 0.0625, 98},
      {Converter::sinc_fastest, 2.0, 0.25, 95},
      {Converter::sinc_fastest, 0.5, 0.1, 98},
      {Converter::linear, 1 / 0.9, 0.0625, 30},
      {Converter::linear, 1 / 1.1, 0.0625, 30},
  };
  for (const Row& row : rows) {
    INFO("converter " << static_cast<int>(row.converter) << " ratio " << row.ratio);
    const auto out = resampled(sine(row.frequency, 16000), row.ratio, row.converter);
    CHECK(snr_db(out, row.frequency / row.ratio) >= row.least_db);
  }
}

TEST_CASE("the output is in time with the input and fills the promised length", "[level]") {
  for (const double ratio : {1 / 0.9, 1 / 1.1, 0.5, 2.0, 1.0}) {
    for (const size_t samples : {size_t{1}, size_t{7}, size_t{500}, size_t{40001}}) {
      const auto out = resampled(sine(0.01, samples), ratio, Converter::sinc_medium);
      for (size_t i = out.size() / 4; samples > 1000 && i < out.size() * 3 / 4; i += 101) {
        const double expected = 0.5 * std::sin(2 * M_PI * 0.01 / ratio * static_cast<double>(i));
        CHECK(out[i] == Approx(expected).margin(2e-3));
      }
    }
  }
  CHECK(resampled({}, 2.0, Converter::sinc_best).empty());
}

TEST_CASE("the result depends neither on earlier calls nor on the thread", "[level]") {
  const auto tone = sine(0.11, 5000);
  const auto expected = resampled(tone, 1 / 0.9, Converter::sinc_fastest);
  resampled(std::vector<float>(3000, 1.0f), 0.7, Converter::sinc_fastest);
  CHECK(resampled(tone, 1 / 0.9, Converter::sinc_fastest) == expected);
  std::vector<int> equal(6);
  {
    std::vector<std::jthread> threads;
    for (int& count : equal) {
      threads.emplace_back([&, salt = &count - equal.data()] {
        for (int i = 0; i < 5; ++i) {
          resampled(sine(0.3, 700), 0.6 + 0.1 * static_cast<double>(salt), Converter::sinc_fastest);
          count += resampled(tone, 1 / 0.9, Converter::sinc_fastest) == expected;
        }
      });
    }
  }
  CHECK(equal == std::vector<int>(6, 5));
}

TEST_CASE("converters are known by name, ratios and room are checked", "[level]") {
  CHECK(parse_converter("best") == Converter::sinc_best);
  CHECK(parse_converter("linear") == Converter::linear);
  CHECK(converter_names() == std::vector<std::string>{"best", "medium", "fastest", "linear"});
  CHECK_THAT(error_of([] { parse_converter("good"); }),
             ContainsSubstring("best, medium, fastest, linear"));
  std::vector<float> in(10), out(5);
  CHECK_THAT(error_of([&] { resample(in, 300, Converter::linear, out); }),
             ContainsSubstring("1/256 to 256"));
  CHECK_THAT(error_of([&] { resample(in, 2, Converter::linear, out); }),
             ContainsSubstring("expected room for 20, found 5"));
}

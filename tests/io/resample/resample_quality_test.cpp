/// What each engine keeps and rejects at speed factors 0.9 and 1.1, and the polyphase engine's own
/// properties.
#include "tests/io/resample/resample_quality.h"

#include <algorithm>
#include <random>
#include <string>
#include <thread>

#include "io/resample/polyphase.h"
#include "io/resample/resample.h"
#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

std::vector<float> resampled(const std::vector<float>& in, double ratio, ResampleOptions options) {
  std::vector<float> out(
      static_cast<size_t>(resampled_samples(static_cast<int64_t>(in.size()), ratio)));
  resample(in, ratio, options, out);
  return out;
}

Resampler by(ResampleOptions options) {
  return [options](const std::vector<float>& in, double factor) {
    return resampled(in, 1 / factor, options);
  };
}

std::vector<float> noise(size_t samples) {
  std::mt19937 random(static_cast<unsigned>(samples));
  std::vector<float> out(samples);
  for (float& value : out) value = static_cast<float>(random() % 65536) / 65536 - 0.5f;
  return out;
}

/// The ratios that speed factors and the usual rates bring.
const std::vector<double> kRatios{1 / 0.9,        1 / 1.1,        1 / 0.95,       1 / 1.05,
                                  1 / 0.93,       1 / 1.07,       1 / 1.25,       16000. / 8000,
                                  16000. / 11025, 16000. / 22050, 16000. / 24000, 16000. / 32000,
                                  16000. / 44100, 16000. / 48000};

}  // namespace

TEST_CASE("each engine keeps three tones clean and level, and rejects one that would fold back",
          "[level]") {
  struct Row {
    ResampleOptions options;
    double factor, least_snr_db, least_gain_db, most_alias_db;
  };
  const Engine src = Engine::libsamplerate;
  // The gain is that at 6.5 kHz, the alias that of 7.8 kHz; at 0.9 nothing can fold back.
  const std::vector<Row> rows{
      {{Engine::automatic}, 0.9, 115, -0.02, 0},
      {{Engine::automatic}, 1.1, 115, -0.02, -105},
      {{Engine::polyphase}, 0.9, 115, -0.02, 0},
      {{Engine::polyphase}, 1.1, 115, -0.02, -105},
      {{Engine::soxr}, 0.9, 130, -0.02, 0},
      {{Engine::soxr}, 1.1, 130, -0.02, -130},
      {{src, Converter::sinc_medium}, 0.9, 120, -0.02, 0},
      {{src, Converter::sinc_medium}, 1.1, 120, -1.5, -120},
      {{src, Converter::sinc_fastest}, 0.9, 100, -4, 0},
      {{src, Converter::sinc_fastest}, 1.1, 100, -19, -100},
  };
  for (const Row& row : rows) {
    INFO("engine " << static_cast<int>(row.options.engine) << ", factor " << row.factor);
    const Quality quality = quality_of(by(row.options), row.factor);
    CHECK(quality.snr_db >= row.least_snr_db);
    CHECK(quality.gain_6500_db >= row.least_gain_db);
    CHECK(quality.gain_6500_db <= 0.02);
    if (row.factor > 1) CHECK(alias_db(by(row.options), 7800, row.factor) <= row.most_alias_db);
  }
}

TEST_CASE("polyphase is level up to 0.9 of the lower Nyquist frequency, and silent from 1.05 on",
          "[level]") {
  for (const double ratio : kRatios) {
    INFO("ratio " << ratio);
    const double nyquist_hz = kRateHz / 2 * std::min(1.0, ratio);  // of inputs taken as 16 kHz
    for (const double share : {0.01, 0.3, 0.6, 0.8, 0.9}) {
      const auto out = resampled(sum_of_tones(std::array{share * nyquist_hz}, 0.5, 32000), ratio,
                                 {Engine::polyphase});
      std::vector<double> rest(out.begin() + kEdgeSamples, out.end() - kEdgeSamples);
      const double squared = remove_tone(rest, share * nyquist_hz / ratio / kRateHz);
      CHECK(std::abs(db(squared / (0.5 * 0.5))) <= 0.1);
      CHECK(db(squared / 2 / power(rest)) >= 100);
    }
    for (const double share : {1.05, 1.06, 1.3, 1.7, 2.2}) {
      if (share * nyquist_hz >= kRateHz / 2) continue;
      CHECK(alias_db(by({Engine::polyphase}), share * nyquist_hz, 1 / ratio) <= -100);
    }
  }
}

TEST_CASE("every engine is in time with the input and fills the promised length at every ratio",
          "[level]") {
  for (const Engine engine : {Engine::polyphase, Engine::soxr, Engine::libsamplerate}) {
    for (const double ratio : kRatios) {
      INFO("engine " << static_cast<int>(engine) << ", ratio " << ratio);
      // A slow bump, away from the ends.
      const auto bump = [](double time) { return std::exp(-std::pow((time - 2001) / 200, 2)); };
      std::vector<float> in(4003);
      for (size_t i = 0; i < in.size(); ++i)
        in[i] = static_cast<float>(bump(static_cast<double>(i)));
      const auto out = resampled(in, ratio, {engine});
      double worst = 0;
      for (size_t i = 0; i < out.size(); ++i) {
        worst = std::max(worst, std::abs(out[i] - bump(static_cast<double>(i) / ratio)));
      }
      CHECK(worst < 2e-4);
      for (const size_t samples : {0, 1, 2, 3, 40, 100, 999}) {
        for (const float x : resampled(std::vector<float>(samples, 0.5f), ratio, {engine})) {
          REQUIRE(std::isfinite(x));
          REQUIRE(std::abs(x) < 0.7f);
        }
      }
    }
  }
  // A factor from a range.
  const double ratio = 1 / 1.03456789;
  for (const size_t samples : {1, 2, 3, 100, 16001}) resampled(noise(samples), ratio, {});
}

TEST_CASE("polyphase of a short utterance equals the same utterance within silence", "[level]") {
  for (const double ratio : {1 / 0.9, 1 / 1.1, 16000. / 44100, 2.0}) {
    const RatioTerms terms = polyphase_terms(ratio).value();
    for (const size_t samples : {1, 30, 500}) {
      INFO("ratio " << ratio << ", samples " << samples);
      const auto alone = noise(samples);
      // Silence of whole periods in front, so that the outputs fall on the same times.
      const auto before = static_cast<size_t>(terms.down * 20);
      std::vector<float> within(before);
      within.insert(within.end(), alone.begin(), alone.end());
      within.resize(within.size() + 12000);
      const auto expected = resampled(within, ratio, {Engine::polyphase});
      const auto out = resampled(alone, ratio, {Engine::polyphase});
      CHECK(std::equal(out.begin(), out.end(), expected.begin() + terms.up * 20));
    }
  }
}

TEST_CASE("every set of instructions gives the bits of the scalar one", "[level]") {
  for (const double ratio : kRatios) {
    const RatioTerms terms = polyphase_terms(ratio).value();
    for (const size_t samples : {1, 77, 3000}) {
      const auto in = noise(samples);
      const auto room =
          static_cast<size_t>(resampled_samples(static_cast<int64_t>(samples), ratio));
      std::vector<float> expected(room);
      resample_polyphase(in, terms, expected, flowqat::Simd::scalar);
      for (const flowqat::Simd simd : flowqat::simds_here()) {
        INFO(flowqat::name_of(simd) << ", ratio " << ratio << ", samples " << samples);
        std::vector<float> out(room);
        resample_polyphase(in, terms, out, simd);
        CHECK(out == expected);
      }
    }
  }
  CHECK(flowqat::simds_here().front() == flowqat::Simd::scalar);
}

TEST_CASE("each engine gives the same bits on every thread", "[level]") {
  const auto in = noise(5000);
  for (const Engine engine : {Engine::polyphase, Engine::soxr}) {
    const auto expected = resampled(in, 1 / 0.9, {engine});
    std::vector<int> equal(6);
    {
      std::vector<std::jthread> threads;
      for (int& count : equal) {
        threads.emplace_back([&, salt = &count - equal.data()] {
          for (int i = 0; i < 5; ++i) {
            resampled(in, 1 / (0.6 + 0.01 * static_cast<double>(salt * 5 + i)), {engine});
            count += resampled(in, 1 / 0.9, {engine}) == expected;
          }
        });
      }
    }
    CHECK(equal == std::vector<int>(6, 5));
  }
}

TEST_CASE("the polyphase engine knows the ratios that it can do", "[level]") {
  CHECK(polyphase_terms(1 / 0.9) == RatioTerms{10, 9});
  CHECK(polyphase_terms(1 / 1.1) == RatioTerms{10, 11});
  CHECK(polyphase_terms(16000. / 44100) == RatioTerms{160, 441});
  CHECK(polyphase_terms(16000. / 11025) == RatioTerms{640, 441});
  CHECK(polyphase_terms(1. / 3) == RatioTerms{1, 3});
  CHECK(polyphase_terms(2) == RatioTerms{2, 1});
  for (const double ratio : {1 / 1.03456789, 1 / 0.9001, 0.0, -1.0, 1e9, std::nan("")}) {
    CHECK_FALSE(polyphase_terms(ratio));
  }
  CHECK_FALSE(polyphase_terms(997. / 991));  // a table of more than 1 MiB
  // The automatic engine goes to soxr there.
  const auto in = noise(700);
  CHECK(resampled(in, 997. / 991, {}) == resampled(in, 997. / 991, {Engine::soxr}));
  CHECK(resampled(in, 2, {}) == resampled(in, 2, {Engine::polyphase}));
  CHECK_THAT(error_of([&] { resampled(in, 997. / 991, {Engine::polyphase}); }),
             ContainsSubstring("use \"auto\""));
  std::vector<float> out(700);
  CHECK_THAT(error_of([&] { resample_polyphase(in, {4, 2}, out); }), ContainsSubstring("4/2"));
}

TEST_CASE("engines are known by name, and ratio 1 copies with each", "[level]") {
  CHECK(engine_names() == std::vector<std::string>{"auto", "polyphase", "soxr", "libsamplerate"});
  const auto in = noise(100);
  for (const std::string& name : engine_names())
    CHECK(resampled(in, 1, {parse_engine(name)}) == in);
  CHECK_THAT(error_of([] { parse_engine("sox"); }),
             ContainsSubstring("auto, polyphase, soxr, libsamplerate"));
  CHECK_THAT(error_of([&] { resampled(in, 300, {}); }), ContainsSubstring("1/256 to 256"));
}

#include <cmath>

#include "tests/catch.h"
#include "tests/nodes/support.h"

using flowqat::nodes::testing::Single;

TEST_CASE("resample predicts what it makes, at the rate asked for", "[level]") {
  const Single resample("resample", R"("rate_hz": 16000)");
  for (int rate_hz : {8000, 11025, 22050, 44100, 48000}) {
    const auto shape = resample.transform().predict({rate_hz + 123, rate_hz}, resample.draw());
    CHECK(shape.rate_hz == 16000);
    std::vector<float> tone(static_cast<size_t>(rate_hz + 123));
    for (size_t i = 0; i < tone.size(); ++i)
      tone[i] = std::sin(6.2831853f * 440 * static_cast<float>(i) / static_cast<float>(rate_hz));
    const std::vector<float> out = resample.apply(tone, rate_hz);
    REQUIRE(static_cast<int64_t>(out.size()) == shape.samples);
    for (size_t i = 2000; i < 14000; ++i) {
      REQUIRE(out[i] ==
              Approx(std::sin(6.2831853 * 440 * static_cast<double>(i) / 16000)).margin(2e-3));
    }
  }
}

TEST_CASE("audio that has the rate already passes bit for bit", "[level]") {
  const Single resample("resample", R"("rate_hz": 16000)");
  const std::vector<float> in{0.1f, -0.7f, 0.33f, 1e-9f};
  CHECK(resample.apply(in, 16000) == in);
}

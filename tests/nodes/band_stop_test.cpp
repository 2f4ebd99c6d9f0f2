#include "tests/catch.h"
#include "tests/nodes/augmentation.h"

using namespace flowqat::nodes::testing;

namespace {

constexpr size_t kMiddle = 1000;

/// The filter that `node` draws for `key`, as what an impulse becomes.
std::vector<float> response_of(const Single& node, uint64_t key) {
  std::vector<float> impulse(2 * kMiddle + 1);
  impulse[kMiddle] = 1;
  return node.apply(impulse, 16000, key);
}

}  // namespace

TEST_CASE("a stopped band is 40 dB down over its width, and the rest is there within 0.5 dB") {
  const Single node("band_stop", R"("bands": [1, 1], "width_hz": [800, 800])");
  for (uint64_t key = 0; key < 20; ++key) {
    const std::vector<float> response = response_of(node, key);
    double low_hz = 8000, high_hz = 0;  // of what is 40 dB down
    std::vector<double> levels_db;
    for (int hz = 0; hz <= 8000; hz += 10) {
      levels_db.push_back(level_db(response, hz, 16000));
      if (levels_db.back() < -40) low_hz = std::min<double>(low_hz, hz), high_hz = hz;
    }
    INFO("key " << key << ": " << low_hz << " to " << high_hz << " Hz");
    REQUIRE(high_hz - low_hz >= 780);
    REQUIRE(high_hz - low_hz <= 1000);
    for (size_t i = 0; i < levels_db.size(); ++i) {
      const double hz = 10.0 * static_cast<double>(i);
      if (hz >= low_hz && hz <= high_hz) REQUIRE(levels_db[i] < -40);
      if (hz < low_hz - 100 || hz > high_hz + 100) REQUIRE(std::abs(levels_db[i]) < 0.5);
    }
  }
}

TEST_CASE("a band stop neither delays nor shortens: its response is symmetric about time zero") {
  const Single node("band_stop", R"("bands": [2, 2])");
  const std::vector<float> response = response_of(node, 3);
  REQUIRE(response.size() == 2 * kMiddle + 1);
  for (size_t i = 1; i <= kMiddle; ++i) {
    REQUIRE(response[kMiddle - i] == Approx(response[kMiddle + i]).margin(1e-6));
  }
  CHECK(response[kMiddle] > 0.8f);
}

TEST_CASE("bands may overlap, touch both ends, or cover everything") {
  const Single many("band_stop", R"("bands": [30, 30], "width_hz": [500, 500])");
  const Single all("band_stop", R"("bands": [1, 1], "width_hz": [20000, 20000])");
  for (uint64_t key = 0; key < 5; ++key) {
    for (int hz = 0; hz <= 8000; hz += 50) {
      REQUIRE(level_db(response_of(many, key), hz, 16000) < 0.5);
      REQUIRE(level_db(response_of(all, key), hz, 16000) < -40);
    }
  }
}

TEST_CASE(
    "no band, or a probability of 0, leaves every bit alone, and the same key draws the same") {
  const std::vector<float> in = white_noise(3000);
  CHECK(Single("band_stop", R"("bands": [0, 0])").apply(in) == in);
  CHECK(changed("band_stop", R"("probability": 0)") == 0);
  CHECK(changed("band_stop", R"("probability": 0.25)") == Approx(250).margin(42));
  const Single node("band_stop", "");
  CHECK(node.apply(in, 16000, 5) == node.apply(in, 16000, 5));
  CHECK(node.apply(in, 16000, 5) != node.apply(in, 16000, 6));
  CHECK_THAT(refusal("band_stop", R"("width_hz": [9, 1])"), ContainsSubstring("\"width_hz\""));
}

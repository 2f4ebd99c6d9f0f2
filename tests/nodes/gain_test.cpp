#include "tests/catch.h"
#include "tests/nodes/augmentation.h"

using namespace flowqat::nodes::testing;

TEST_CASE("a gain changes the level by the decibels asked for") {
  const std::vector<float> in = white_noise(1000);
  for (const char* gain : {"-20", "-6", "0", "3", "12"}) {
    const Single node("gain", std::string(R"("range_db": [)") + gain + ", " + gain + "]");
    const std::vector<float> out = node.apply(in);
    CHECK(10 * std::log10(energy_of(out) / energy_of(in)) == Approx(std::atof(gain)).margin(0.001));
  }
}

TEST_CASE("gains are drawn evenly between their ends, the same for the same key") {
  const Single node("gain", R"("range_db": [-10, 10])");
  const std::vector<float> in{0.5f};
  double sum = 0, least = 100, most = -100;
  for (uint64_t key = 0; key < 2000; ++key) {
    const std::vector<float> out = node.apply(in, 16000, key);
    const double gain_db = 20 * std::log10(out[0] / 0.5);
    sum += gain_db, least = std::min(least, gain_db), most = std::max(most, gain_db);
    REQUIRE(node.apply(in, 16000, key) == out);
  }
  CHECK(sum / 2000 == Approx(0).margin(0.5));
  CHECK(least == Approx(-10).margin(0.1));
  CHECK(most == Approx(10).margin(0.1));
}

TEST_CASE("a probability is the share of the utterances that an augmentation changes") {
  CHECK(changed("gain", R"("range_db": [6, 6], "probability": 0)") == 0);
  CHECK(changed("gain", R"("range_db": [6, 6], "probability": 0.3)") == Approx(300).margin(45));
  CHECK(changed("gain", R"("range_db": [6, 6])") == 1000);
}

TEST_CASE("a range of gains has two ends in order") {
  for (const char* range : {"[3, -3]", "[3]", "[]", "[1, 2, 3]"}) {
    CHECK_THAT(refusal("gain", std::string(R"("range_db": )") + range),
               ContainsSubstring("node \"node\": key \"range_db\"") &&
                   ContainsSubstring("the smaller first, found ["));
  }
}

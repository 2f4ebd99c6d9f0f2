#include <cmath>
#include <map>

#include "tests/catch.h"
#include "tests/nodes/support.h"

using namespace flowqat;
using nodes::testing::Single;

namespace {

std::vector<float> tone(double frequency_hz, size_t samples) {
  std::vector<float> out(samples);
  for (size_t i = 0; i < samples; ++i)
    out[i] =
        static_cast<float>(std::sin(6.283185307 * frequency_hz * static_cast<double>(i) / 16000));
  return out;
}

}  // namespace

TEST_CASE("a factor shortens the utterance and raises its pitch by as much", "[level]") {
  const Single perturb("speed_perturb", R"("factors": [1.1])");
  const std::vector<float> out = perturb.apply(tone(1000, 16000));
  CHECK(static_cast<double>(out.size()) == Approx(16000 / 1.1).margin(1));
  for (size_t i = 1000; i < 13000; ++i) {
    REQUIRE(out[i] ==
            Approx(std::sin(6.283185307 * 1100 * static_cast<double>(i) / 16000)).margin(2e-3));
  }
}

TEST_CASE("every factor of a list is drawn about as often, and predict and apply draw the same",
          "[level]") {
  const Single perturb("speed_perturb", R"("factors": [0.9, 1.0, 1.1])");
  std::map<int64_t, int> lengths;
  for (uint64_t key = 0; key < 3000; ++key) {
    ++lengths[perturb.transform().predict({16000, 16000}, perturb.draw(key)).samples];
  }
  REQUIRE(lengths.size() == 3);
  for (const auto& [length, count] : lengths) CHECK(count == Approx(1000).margin(120));
  const std::vector<float> in = tone(500, 1600);
  for (uint64_t key = 0; key < 10; ++key) {
    CHECK(static_cast<int64_t>(perturb.apply(in, 16000, key).size()) ==
          perturb.transform().predict({1600, 16000}, perturb.draw(key)).samples);
  }
}

TEST_CASE("with `every` each copy has its own factor", "[level]") {
  const Single perturb("speed_perturb", R"("factors": [0.8, 1.0, 1.25], "every": true)");
  CHECK(perturb.transform().copies() == 3);
  const auto samples = [&](int copy) {
    return perturb.transform().predict({10000, 16000}, perturb.draw(9, copy)).samples;
  };
  CHECK(samples(0) == 12500);
  CHECK(samples(1) == 10000);
  CHECK(samples(2) == 8000);
}

TEST_CASE("factor 1 leaves every bit alone", "[level]") {
  const std::vector<float> in = tone(700, 999);
  CHECK(Single("speed_perturb", R"("factors": [1.0])").apply(in) == in);
}

TEST_CASE("a range draws factors evenly between its ends", "[level]") {
  const Single perturb("speed_perturb", R"("range": [0.9, 1.1])");
  double sum = 0, least = 2, most = 0;
  for (uint64_t key = 0; key < 2000; ++key) {
    const double factor =
        1e6 / static_cast<double>(
                  perturb.transform().predict({1000000, 16000}, perturb.draw(key)).samples);
    sum += factor, least = std::min(least, factor), most = std::max(most, factor);
  }
  CHECK(sum / 2000 == Approx(1).margin(0.005));
  CHECK(least == Approx(0.9).margin(0.002));
  CHECK(most == Approx(1.1).margin(0.002));
}

TEST_CASE("factors and range exclude each other, and a range has two ends in order", "[level]") {
  const auto refusal = [](const std::string& keys) -> std::string {
    try {
      Single("speed_perturb", keys);
    } catch (const graph::GraphError& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK_THAT(refusal(""), ContainsSubstring("node \"node\": give either \"factors\" or \"range\""));
  CHECK_THAT(refusal(R"("factors": [1], "range": [0.9, 1.1])"), ContainsSubstring("either"));
  CHECK_THAT(refusal(R"("range": [1.1, 0.9])"), ContainsSubstring("the smaller first"));
  CHECK_THAT(refusal(R"("range": [0.9, 1.1], "every": true)"), ContainsSubstring("\"every\""));
}

TEST_CASE("each engine gives the same tone, and polyphase is refused where it cannot work",
          "[level]") {
  for (const std::string engine : {"auto", "polyphase", "soxr", "libsamplerate"}) {
    INFO(engine);
    const Single perturb("speed_perturb", R"("factors": [0.9], "engine": ")" + engine + "\"");
    const std::vector<float> out = perturb.apply(tone(1000, 16000));
    REQUIRE(out.size() == 17778);
    for (size_t i = 1000; i < 16000; i += 7) {
      REQUIRE(out[i] ==
              Approx(std::sin(6.283185307 * 900 * static_cast<double>(i) / 16000)).margin(2e-3));
    }
  }
  CHECK_THROWS_WITH(
      Single("speed_perturb", R"("range": [0.9, 1.1], "engine": "polyphase")"),
      ContainsSubstring("\"polyphase\" needs \"factors\"") && ContainsSubstring("\"auto\""));
  CHECK_THROWS_WITH(Single("speed_perturb", R"("factors": [0.91234567], "engine": "polyphase")"),
                    ContainsSubstring("small whole numbers"));
}

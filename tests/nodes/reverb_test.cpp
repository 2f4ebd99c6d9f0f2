#include "tests/catch.h"
#include "tests/nodes/augmentation.h"
#include "tests/temporary_folder.h"

using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;

namespace {

std::string keys(const TemporaryFolder& folder, const std::string& more = "") {
  return R"("folder": ")" + folder.path().string() + "\"" + more;
}

/// Direct sound of `peak` at `delay`, then a tail that decays.
std::vector<float> room(size_t samples, size_t delay, float peak) {
  std::vector<float> response = white_noise(samples, 5);
  for (size_t i = 0; i < samples; ++i) {
    response[i] *=
        i < delay ? 0 : std::exp(-4.0f * static_cast<float>(i) / static_cast<float>(samples));
  }
  response[delay] = peak;
  return response;
}

}  // namespace

TEST_CASE(
    "a room that is one impulse, however late or loud, gives back the speech, with its sign") {
  const std::vector<float> speech = white_noise(5000, 2);
  for (size_t delay : {0, 1, 300, 999}) {
    const TemporaryFolder folder;
    std::vector<float> impulse(1000);
    impulse[delay] = delay == 300 ? -0.5f : 0.25f;
    write_float_wav(folder.path() / "impulse.wav", impulse);
    const std::vector<float> out = Single("reverb", keys(folder)).apply(speech);
    const float sign = delay == 300 ? -1.0f : 1.0f;
    for (size_t i = 0; i < speech.size(); ++i) {
      REQUIRE(sign * out[i] == Approx(speech[i]).margin(1e-5));
    }
  }
}

TEST_CASE("reverberation keeps length and power, and begins with the direct sound") {
  const TemporaryFolder folder;
  write_float_wav(folder.path() / "room.wav", room(8000, 120, 1));
  const Single node("reverb", keys(folder));
  for (size_t samples : {1u, 50u, 4000u, 20000u}) {
    const std::vector<float> speech = white_noise(samples, 3);
    const std::vector<float> out = node.apply(speech);
    REQUIRE(out.size() == samples);
    CHECK(energy_of(out) / energy_of(speech) == Approx(1).epsilon(1e-4));
  }
  std::vector<float> click(3000);
  click[1000] = 1;
  const std::vector<float> out = node.apply(click);
  for (size_t i = 0; i < 1000; ++i) REQUIRE(std::abs(out[i]) < 1e-5f);
  for (size_t i = 0; i < 3000; ++i) REQUIRE(std::abs(out[i]) <= out[1000]);
  CHECK(std::abs(out[1700]) > 1e-3f);
}

TEST_CASE("a response of another rate lasts as long as it did") {
  const TemporaryFolder folder;
  std::vector<float> echo(4800);
  echo[10] = 1, echo[10 + 2400] = 0.5f;  // after 50 ms
  write_float_wav(folder.path() / "echo.wav", echo, 48000);
  std::vector<float> click(2000);
  click[100] = 1;
  const std::vector<float> out = Single("reverb", keys(folder)).apply(click);
  CHECK(out[900] / out[100] == Approx(0.5).margin(0.02));
}

TEST_CASE("silence stays silent, and a silent room leaves speech as it is") {
  const TemporaryFolder folder;
  write_float_wav(folder.path() / "room.wav", room(500, 0, 1));
  const std::vector<float> silence(700), speech = white_noise(700);
  CHECK(Single("reverb", keys(folder)).apply(silence) == silence);
  write_float_wav(folder.path() / "room.wav", std::vector<float>(500));
  CHECK(Single("reverb", keys(folder)).apply(speech) == speech);
}

TEST_CASE("rooms are drawn for the share of utterances asked for, and a missing folder is named") {
  const TemporaryFolder folder;
  write_float_wav(folder.path() / "a.wav", room(100, 0, 1));
  write_float_wav(folder.path() / "b.wav", room(200, 3, 1));
  CHECK(changed("reverb", keys(folder, R"(, "probability": 0)")) == 0);
  CHECK(changed("reverb", keys(folder, R"(, "probability": 0.4)")) == Approx(400).margin(48));
  const Single node("reverb", keys(folder));
  const std::vector<float> speech = white_noise(900);
  CHECK(node.apply(speech, 16000, 4) == node.apply(speech, 16000, 4));
  CHECK_THAT(refusal("reverb", R"("folder": "no/rooms")"),
             ContainsSubstring("key \"folder\": no/rooms"));
}

#include <algorithm>
#include <set>
#include <thread>

#include "tests/catch.h"
#include "tests/nodes/augmentation.h"
#include "tests/temporary_folder.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;

namespace {

std::string keys(const TemporaryFolder& folder, const std::string& more = "") {
  return R"("folder": ")" + folder.path().string() + "\"" + more;
}

std::vector<float> minus(std::vector<float> a, const std::vector<float>& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] -= b[i];
  return a;
}

}  // namespace

TEST_CASE("the signal-to-noise ratio that came out is the one asked for") {
  const TemporaryFolder folder;
  write_float_wav(folder.path() / "long.wav", white_noise(50000, 2));
  write_float_wav(folder.path() / "sub" / "short.wav", white_noise(700, 3));
  write_float_wav(folder.path() / "sub" / "fast.wav", white_noise(48000, 4), 48000);
  const std::vector<float> speech = white_noise(16000, 9);
  for (const char* snr_db : {"-5", "0", "10", "30"}) {
    const Single node("noise",
                      keys(folder, std::string(R"(, "snr_db": [)") + snr_db + ", " + snr_db + "]"));
    for (uint64_t key = 0; key < 10; ++key) {
      const std::vector<float> noise = minus(node.apply(speech, 16000, key), speech);
      REQUIRE(10 * std::log10(energy_of(speech) / energy_of(noise)) ==
              Approx(std::atof(snr_db)).margin(0.01));
    }
  }
}

TEST_CASE("a noise that is no sound, or of a rate beyond all measure, is named") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "noise.wav";
  const auto told = [&] {
    try {
      Single("noise", keys(folder)).apply(white_noise(800, 9));
    } catch (const graph::RunError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  auto samples = white_noise(5000, 2);
  samples[77] = INFINITY;
  write_float_wav(file, samples);
  CHECK_THAT(told(), ContainsSubstring(file.string() + ": sample 77"));
  write_float_wav(file, white_noise(5000, 2), 20);
  CHECK_THAT(told(), ContainsSubstring(file.string() + ": resampling by a ratio of 800"));
}

TEST_CASE("ratios are drawn evenly between their ends") {
  const TemporaryFolder folder;
  write_float_wav(folder.path() / "noise.wav", white_noise(5000, 2));
  const Single node("noise", keys(folder, R"(, "snr_db": [5, 15])"));
  const std::vector<float> speech = white_noise(800, 9);
  double sum = 0;
  for (uint64_t key = 0; key < 1000; ++key) {
    const double snr_db = 10 * std::log10(energy_of(speech) /
                                          energy_of(minus(node.apply(speech, 16000, key), speech)));
    REQUIRE((snr_db > 4.9 && snr_db < 15.1));
    sum += snr_db;
  }
  CHECK(sum / 1000 == Approx(10).margin(0.4));
}

TEST_CASE("a short noise starts again at its end, a long one is cut anywhere but never wraps") {
  const TemporaryFolder folder;
  std::vector<float> ramp(1000);
  for (size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<float>(i + 1);
  write_float_wav(folder.path() / "ramp.wav", ramp);
  const Single node("noise", keys(folder, R"(, "snr_db": [0, 0])"));
  const auto step_backs = [&](size_t samples, uint64_t key) {
    const std::vector<float> speech(samples, 1.0f);
    const std::vector<float> noise = minus(node.apply(speech, 16000, key), speech);
    int count = 0;
    for (size_t i = 1; i < samples; ++i) count += noise[i] < noise[i - 1];
    return count;
  };
  for (uint64_t key = 0; key < 50; ++key) {
    REQUIRE(step_backs(600, key) == 0);
    REQUIRE(step_backs(3000, key) >= 2);
    REQUIRE(step_backs(3000, key) <= 3);
  }
}

TEST_CASE("silence stays as it is, in the speech and in the noise") {
  const TemporaryFolder folder;
  write_float_wav(folder.path() / "noise.wav", white_noise(500));
  const std::vector<float> silence(1000), speech = white_noise(1000);
  CHECK(Single("noise", keys(folder)).apply(silence) == silence);
  write_float_wav(folder.path() / "noise.wav", std::vector<float>(500));
  CHECK(Single("noise", keys(folder)).apply(speech) == speech);
}

TEST_CASE("noise comes to the share of utterances asked for, every file as often") {
  const TemporaryFolder folder;
  for (int i = 0; i < 4; ++i) {  // told apart by their sign
    write_float_wav(folder.path() / (std::to_string(i) + ".wav"),
                    std::vector<float>(1, i < 2 ? 0.5f : -0.5f));
  }
  CHECK(changed("noise", keys(folder, R"(, "probability": 0)")) == 0);
  CHECK(changed("noise", keys(folder, R"(, "probability": 0.7)")) == Approx(700).margin(45));
  const Single node("noise", keys(folder));
  int positive = 0;
  for (uint64_t key = 0; key < 1000; ++key) positive += node.apply({0.1f}, 16000, key)[0] > 0.1f;
  CHECK(positive == Approx(500).margin(50));
}

TEST_CASE("noise is the same bits for the same key on any thread, decoded before or not") {
  const TemporaryFolder folder;
  for (uint32_t i = 0; i < 5; ++i) {
    write_float_wav(folder.path() / (std::to_string(i) + ".wav"), white_noise(9000, i), 22050);
  }
  const std::vector<float> speech = white_noise(2000, 77);
  std::vector<std::vector<float>> alone, together(40);
  for (uint64_t key = 0; key < 40; ++key) {
    alone.push_back(Single("noise", keys(folder)).apply(speech, 16000, key));
  }
  const Single shared("noise", keys(folder));
  {
    std::vector<std::jthread> threads;
    for (size_t first = 0; first < 4; ++first) {
      threads.emplace_back([&, first] {
        for (size_t key = first; key < 40; key += 4) {
          together[key] = shared.apply(speech, 16000, key);
        }
      });
    }
  }
  CHECK(together == alone);
}

TEST_CASE("a folder without noises is refused with the node, and a broken noise is named") {
  const TemporaryFolder folder;
  CHECK_THAT(refusal("noise", R"("folder": "no/such/folder")"),
             ContainsSubstring("node \"node\", key \"folder\": no/such/folder") &&
                 ContainsSubstring("found nothing"));
  CHECK_THAT(refusal("noise", keys(folder)), ContainsSubstring("no audio found"));
  std::ofstream(folder.path() / "broken.wav") << "no audio";
  const Single node("noise", keys(folder));
  CHECK_THROWS_WITH(node.apply({1, 2, 3}), ContainsSubstring("broken.wav") &&
                                               ContainsSubstring("repair the file or remove it"));
}

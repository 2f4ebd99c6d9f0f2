#include <algorithm>

#include "tests/catch.h"
#include "tests/nodes/augmentation.h"

using namespace flowqat::nodes::testing;

namespace {

const std::vector<float> kOnes(16000, 1.0f);

int64_t zeros(const std::vector<float>& samples) {
  return std::count(samples.begin(), samples.end(), 0.0f);
}

}  // namespace

TEST_CASE("one chunk silences exactly its length, in one piece, and nothing else") {
  const Single node("drop_chunks", R"("chunks": [1, 1], "length_ms": [50, 50])");
  for (uint64_t key = 0; key < 200; ++key) {
    const std::vector<float> out = node.apply(kOnes, 16000, key);
    const auto first = std::find(out.begin(), out.end(), 0.0f);
    REQUIRE(zeros(out) == 800);
    REQUIRE(std::count(first, first + 800, 0.0f) == 800);
    REQUIRE(std::count(out.begin(), out.end(), 1.0f) == 15200);
    REQUIRE(node.apply(kOnes, 16000, key) == out);
  }
  CHECK(zeros(node.apply(std::vector<float>(8000, 1.0f), 8000)) == 400);
}

TEST_CASE("every sample is silenced about as often, but for the ends") {
  const Single node("drop_chunks", R"("chunks": [1, 1], "length_ms": [100, 100])");
  std::vector<int> counts(16000);
  for (uint64_t key = 0; key < 4000; ++key) {
    const std::vector<float> out = node.apply(kOnes, 16000, key);
    for (size_t i = 0; i < out.size(); ++i) counts[i] += out[i] == 0;
  }
  for (size_t i = 2000; i < 14000; i += 100) REQUIRE(counts[i] == Approx(444).margin(110));
}

TEST_CASE("as many chunks as drawn, of every length between the ends") {
  const Single count("drop_chunks", R"("chunks": [0, 3], "length_ms": [1, 1])");
  std::vector<int> seen(4);
  for (uint64_t key = 0; key < 2000; ++key) {
    const auto chunks = static_cast<size_t>((zeros(count.apply(kOnes, 16000, key)) + 15) / 16);
    REQUIRE(chunks <= 3);
    ++seen[chunks];
  }
  for (int times : seen) CHECK(times == Approx(500).margin(80));
  const Single length("drop_chunks", R"("chunks": [1, 1], "length_ms": [10, 100])");
  int64_t least = 16000, most = 0, sum = 0;
  for (uint64_t key = 0; key < 2000; ++key) {
    const int64_t samples = zeros(length.apply(kOnes, 16000, key));
    least = std::min(least, samples), most = std::max(most, samples), sum += samples;
  }
  CHECK((least >= 160 && least < 175 && most <= 1600 && most > 1585));
  CHECK(static_cast<double>(sum) / 2000 == Approx(880).margin(30));
}

TEST_CASE("no chunk takes more than its share of a short utterance") {
  const Single node("drop_chunks",
                    R"("chunks": [1, 1], "length_ms": [1000, 1000], "max_share": 0.2)");
  CHECK(zeros(node.apply(kOnes)) == 3200);
  CHECK(zeros(node.apply({1, 1, 1, 1})) == 0);
  const Single all("drop_chunks", R"("chunks": [1, 1], "length_ms": [1000, 1000], "max_share": 1)");
  CHECK(zeros(all.apply({1, 1, 1, 1})) == 4);
}

TEST_CASE(
    "chunks are dropped from the share of utterances asked for, and their range is in order") {
  CHECK(changed("drop_chunks", R"("probability": 0)") == 0);
  CHECK(changed("drop_chunks", R"("probability": 0.5)") == Approx(500).margin(50));
  CHECK(changed("drop_chunks", "") == 1000);
  CHECK_THAT(refusal("drop_chunks", R"("chunks": [2, 1])"), ContainsSubstring("key \"chunks\""));
  CHECK_THAT(refusal("drop_chunks", R"("length_ms": [5])"), ContainsSubstring("\"length_ms\""));
}

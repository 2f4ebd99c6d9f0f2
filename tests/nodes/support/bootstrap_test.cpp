#include "nodes/support/bootstrap.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/catch.h"

using namespace flowqat::nodes;

namespace {

/// `count` utterances of ten words; every second one has one error more than it had.
std::vector<PairedErrors> one_more_in_two(size_t count) {
  std::vector<PairedErrors> utterances(
      count, {.errors = 1, .references = 10, .other_errors = 1, .other_references = 10});
  for (size_t i = 0; i < count; i += 2) ++utterances[i].errors;
  return utterances;
}

}  // namespace

TEST_CASE("the interval is that of the same resamples drawn with numpy, and near that of others") {
  std::ifstream file(FLOWQAT_SOURCE_DIR "/tests/golden/bootstrap.json");
  const auto cases = nlohmann::json::parse(file);
  REQUIRE(cases.size() == 4);
  for (const auto& golden : cases) {
    std::vector<PairedErrors> utterances;
    for (const auto& row : golden.at("utterances")) {
      utterances.push_back({row[0], row[1], row[2], row[3]});
    }
    const RateDifference found = bootstrap(utterances, golden.at("seed"), golden.at("resamples"));
    CHECK(found.difference == Approx(golden.at("difference").get<double>()).epsilon(1e-12));
    const auto& exact = golden.at("exact");
    CHECK(found.low == Approx(exact.at("low").get<double>()).epsilon(1e-12));
    CHECK(found.high == Approx(exact.at("high").get<double>()).epsilon(1e-12));
    CHECK(found.probability_of_improvement == exact.at("probability_of_improvement"));
    const auto& other = golden.at("independent");
    const double width = found.high - found.low;
    CHECK(found.low == Approx(other.at("low").get<double>()).margin(0.08 * width));
    CHECK(found.high == Approx(other.at("high").get<double>()).margin(0.08 * width));
    CHECK(found.utterances == std::ssize(utterances));
    CHECK(found.resamples == golden.at("resamples"));
  }
}

TEST_CASE("of many utterances the interval is the normal distribution's") {
  // The mean of n draws of 0 or 0.1, each half of the time.
  for (const size_t count : {100u, 1000u, 10000u}) {
    const RateDifference found = bootstrap(one_more_in_two(count), 1, 4000);
    const double deviation = 0.05 / std::sqrt(count);
    CHECK(found.difference == Approx(0.05));
    CHECK(found.low == Approx(0.05 - 1.96 * deviation).margin(0.15 * deviation));
    CHECK(found.high == Approx(0.05 + 1.96 * deviation).margin(0.15 * deviation));
    CHECK_FALSE(found.is_noise());
    CHECK(found.probability_of_improvement == 0);
  }
}

TEST_CASE("differences that chance explains are noise") {
  std::vector<PairedErrors> utterances(50, {2, 10, 2, 10});
  utterances[0].errors = 3;
  CHECK(bootstrap(utterances, 1, 1000).is_noise());  // that utterance is in two of three resamples
  for (size_t i = 0; i < 10; ++i) utterances[i].errors = 3;
  CHECK_FALSE(bootstrap(utterances, 1, 1000).is_noise());
  for (size_t i = 10; i < 18; ++i) utterances[i].errors = 1;
  CHECK(bootstrap(utterances, 1, 1000).is_noise());
}

TEST_CASE("equal models differ by nothing, and one utterance says nothing") {
  const std::vector<PairedErrors> equal(5, {2, 10, 2, 10});
  const RateDifference found = bootstrap(equal, 1, 100);
  CHECK(found.low == 0);
  CHECK(found.high == 0);
  CHECK(found.is_noise());
  for (const size_t count : {0u, 1u}) {
    const RateDifference single = bootstrap(one_more_in_two(count), 1, 100);
    CHECK(single.difference == Approx(count == 0 ? 0 : 0.1));
    CHECK(std::isinf(single.low));
    CHECK(std::isinf(single.high));
    CHECK(single.is_noise());
  }
  // Nothing was said in all of them: the rates are numbers of words, as of ErrorCounts.
  CHECK(bootstrap(std::vector<PairedErrors>(3, {2, 0, 1, 0}), 1, 100).low == 3);
}

TEST_CASE("another seed draws other resamples, the same seed the same") {
  const auto utterances = one_more_in_two(30);
  CHECK(bootstrap(utterances, 1, 500).low == bootstrap(utterances, 1, 500).low);
  std::vector<PairedErrors> uneven = utterances;
  for (size_t i = 0; i < uneven.size(); ++i) uneven[i].references += static_cast<int32_t>(i * i);
  CHECK(bootstrap(uneven, 1, 500).low != bootstrap(uneven, 2, 500).low);
}

TEST_CASE("resamples are as many as a second allows") {
  CHECK(resamples_for(0) == 10000);
  CHECK(resamples_for(20000) == 10000);
  CHECK(resamples_for(100000) == 2000);
  CHECK(resamples_for(10'000'000) == 1000);
}

#include "recognizer/normalize.h"

#include <cmath>
#include <vector>

#include "tests/catch.h"

using flowqat::recognizer::normalize;

TEST_CASE("samples are normalized in place, in double precision", "[level]") {
  std::vector<float> samples(100'003);
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i] = 0.25f + 1e-3f * std::sin(0.1f * static_cast<float>(i));
  }
  std::vector<float> apart(samples.size());
  normalize(samples, apart);
  normalize(samples, samples);
  CHECK(samples == apart);
  double sum = 0, squares = 0;
  for (const float x : apart) sum += x, squares += static_cast<double>(x) * x;
  const auto count = static_cast<double>(apart.size());
  CHECK(sum / count == Approx(0).margin(1e-4));
  // The variance of a sine of 1e-3 is 5e-7, and 1e-7 comes to it.
  CHECK(squares / count == Approx(5.0 / 6).epsilon(1e-3));
}

TEST_CASE("no samples are normalized to none") {
  std::vector<float> none;
  normalize(none, none);
  CHECK(none.empty());
}

#include <cmath>
#include <numeric>

#include "tests/catch.h"
#include "tests/nodes/support.h"

using flowqat::nodes::testing::Single;

TEST_CASE("normalize gives zero mean and unit population variance", "[level]") {
  const Single normalize("normalize", "");
  std::vector<float> in(1001);
  for (size_t i = 0; i < in.size(); ++i) in[i] = 0.1f + 0.01f * static_cast<float>(i % 17);
  const std::vector<float> out = normalize.apply(in);
  double sum = 0, squares = 0;
  for (float x : out) sum += x, squares += static_cast<double>(x) * x;
  CHECK(sum / 1001 == Approx(0).margin(1e-6));
  CHECK(squares / 1001 == Approx(1).margin(1e-4));
}

TEST_CASE("normalize divides by the root of the variance plus 1e-7, so silence stays silence",
          "[level]") {
  const Single normalize("normalize", "");
  CHECK(normalize.apply(std::vector<float>(100, 0.25f)) == std::vector<float>(100, 0.0f));
  const std::vector<float> faint = normalize.apply({1e-4f, -1e-4f});
  CHECK(faint[0] == Approx(1e-4 / std::sqrt(1e-8 + 1e-7)).epsilon(1e-5));
}

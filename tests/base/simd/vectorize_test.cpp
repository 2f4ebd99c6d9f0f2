#include "base/simd/vectorize.h"

#include <vector>

#include "tests/catch.h"

namespace flowqat {
namespace {

FLOWQAT_INLINE float scale(const float* x, size_t count, float factor, float* y) {
  float highest = 0;
  for (size_t i = 0; i < count; ++i) {
    y[i] = x[i] * factor;
    highest = y[i] > highest ? y[i] : highest;
  }
  return highest;
}

}  // namespace

TEST_CASE("vectorize: a loop gives the same in every set, and hands on what it returns") {
  std::vector<float> x(1003), expected(x.size());
  for (size_t i = 0; i < x.size(); ++i) x[i] = 0.37f * static_cast<float>(i % 101) - 11;
  const float highest = scale(x.data(), x.size(), 1.7f, expected.data());
  for (const Simd simd : simds_here()) {
    INFO(name_of(simd));
    std::vector<float> y(x.size());
    CHECK(vectorized_for<scale>(simd, x.data(), x.size(), 1.7f, y.data()) == highest);
    CHECK(y == expected);
  }
}

}  // namespace flowqat

#include "graph/random.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "tests/catch.h"

using namespace flowqat::graph;

TEST_CASE("the same key gives the same numbers, another key others") {
  RandomStream a(mix({1, 2})), b(mix({1, 2})), c(mix({2, 1}));
  const uint64_t first = a.next();
  CHECK(first == b.next());
  CHECK(first != c.next());
}

TEST_CASE("uniform numbers lie in their range and fill it evenly") {
  RandomStream random(7);
  std::vector<int> counts(10);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const double x = random.uniform();
    REQUIRE((x >= 0 && x < 1));
    ++counts[static_cast<size_t>(x * 10)];
    sum += x;
  }
  CHECK(sum / 100000 == Approx(0.5).margin(0.005));
  for (int count : counts) CHECK(count == Approx(10000).margin(400));
}

TEST_CASE("whole numbers below a bound are even, for bounds that are no power of two") {
  RandomStream random(3);
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) ++counts[random.below(7)];
  for (int count : counts) CHECK(count == Approx(10000).margin(400));
  CHECK(random.below(1) == 0);
}

TEST_CASE("a shuffle is a permutation and every place is as likely") {
  std::vector<int> firsts(5);
  for (uint64_t key = 0; key < 10000; ++key) {
    std::vector<int> items(5);
    std::iota(items.begin(), items.end(), 0);
    RandomStream(mix({key})).shuffle(std::span(items));
    ++firsts[static_cast<size_t>(items[0])];
    std::sort(items.begin(), items.end());
    REQUIRE(items == std::vector<int>{0, 1, 2, 3, 4});
  }
  for (int count : firsts) CHECK(count == Approx(2000).margin(200));
}

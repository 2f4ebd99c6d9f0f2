#include "report/series.h"

#include <cmath>
#include <limits>

#include "report/chart.h"
#include "tests/catch.h"

using namespace flowqat::report;

TEST_CASE("a series keeps every peak and the mean of any number of points in bounded room") {
  Series series(64);
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double y = i == 77'777 ? 1000 : i == 123 ? -5 : std::sin(i / 1000.0);
    sum += y;
    series.add(i, y);
  }
  const auto& buckets = series.buckets();
  REQUIRE(buckets.size() <= 64);
  REQUIRE(buckets.size() > 32);
  double total = 0, max = 0, min = 0;
  int64_t points = 0;
  double last_x = -1;
  for (const Series::Bucket& bucket : buckets) {
    CHECK(bucket.first_x == last_x + 1);
    last_x = bucket.last_x;
    total += bucket.sum;
    points += bucket.points;
    max = std::max(max, bucket.max);
    min = std::min(min, bucket.min);
    CHECK(bucket.points <= series.points_each());
  }
  CHECK(last_x == 99'999);
  CHECK(points == 100'000);
  CHECK(total == Approx(sum));
  CHECK(max == 1000);
  CHECK(min == -5);
  CHECK(series.points_each() == 2048);
  CHECK(series.first() == 0);
  CHECK(series.last() == Approx(std::sin(99.999)));
}

TEST_CASE("a series counts what is no number") {
  Series series;
  series.add(1, 2);
  series.add(2, std::numeric_limits<double>::quiet_NaN());
  series.add(3, std::numeric_limits<double>::infinity());
  CHECK(series.buckets().size() == 1);
  CHECK(series.without_number() == 2);
}

TEST_CASE("numbers are short") {
  CHECK(short_number(0) == "0");
  CHECK(short_number(100000) == "100,000");
  CHECK(short_number(1234.4) == "1,234");
  CHECK(short_number(0.0123456) == "0.0123");
  CHECK(short_number(5e-5) == "5e-5");
  CHECK(short_number(-0.00025) == "-2.5e-4");
  CHECK(short_number(0.001) == "0.001");
  CHECK(short_number(-2.5) == "-2.5");
}

TEST_CASE("a chart of nothing is nothing, of one point or one value is one") {
  Series none, one, flat, zero;
  CHECK(draw({.title = "Loss", .curves = {{"a", &none}}}).empty());
  one.add(7, 3);
  for (int i = 0; i < 10; ++i) flat.add(i, 3), zero.add(i, 0);
  for (const Series* series : {&one, &flat, &zero}) {
    for (const bool from_zero : {true, false}) {
      const std::string picture = draw({.title = "a < b",
                                        .curves = {{"<x>", &none}, {"\"y\"", series}},
                                        .from_zero = from_zero,
                                        .may_be_log = true});
      CHECK_THAT(picture, ContainsSubstring("<svg") && ContainsSubstring("a &lt; b") &&
                              ContainsSubstring("&quot;y&quot;") && !ContainsSubstring("nan") &&
                              !ContainsSubstring("inf") && !ContainsSubstring("<x>"));
    }
  }
}

TEST_CASE("an axis is logarithmic where values span much, and says so") {
  Series wide, narrow;
  for (int i = 0; i < 100; ++i) wide.add(i, std::exp(-i / 10.0)), narrow.add(i, 1 + i / 100.0);
  const auto picture = [](const Series& series) {
    return draw({.title = "Loss", .curves = {{"a", &series}}, .may_be_log = true});
  };
  CHECK_THAT(picture(wide), ContainsSubstring("logarithmic"));
  CHECK_THAT(picture(narrow), !ContainsSubstring("logarithmic"));
}

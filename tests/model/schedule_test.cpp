#include "model/schedule.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "model/model.h"
#include "tests/catch.h"

using namespace flowqat::model;
using Kind = ScheduleOptions::Kind;

TEST_CASE("the cosine schedule has the rates of PyTorch's CosineAnnealingLR") {
  std::ifstream file(FLOWQAT_SOURCE_DIR "/tests/golden/cosine_schedule.json");
  const auto cases = nlohmann::json::parse(file);
  REQUIRE(cases.size() == 3);
  for (const auto& expected : cases) {
    ScheduleOptions options{.kind = Kind::cosine,
                            .lr = expected["lr"],
                            .lr_min = expected["lr_min"],
                            .t_max = expected["t_max"]};
    const std::vector<double> rates = expected["rates"];
    for (size_t i = 0; i < rates.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      INFO("T_max " << options.t_max << ", " << i);
      options.per_epoch = false;
      CHECK(learning_rate(options, at, 1000, 0) == Approx(rates[i]).epsilon(1e-9).margin(1e-15));
      options.per_epoch = true;
      CHECK(learning_rate(options, 123, 1000, at) == Approx(rates[i]).epsilon(1e-9).margin(1e-15));
    }
  }
}

TEST_CASE("two epochs with T_max 2, stepped by epochs, train at exactly two rates") {
  const ScheduleOptions options{.kind = Kind::cosine, .lr = 5e-5, .t_max = 2, .per_epoch = true};
  CHECK(learning_rate(options, 0, 20, 0) == Approx(5e-5));
  CHECK(learning_rate(options, 9, 20, 0) == Approx(5e-5));
  CHECK(learning_rate(options, 10, 20, 1) == Approx(2.5e-5));
}

TEST_CASE("warm-up climbs linearly to the peak, and the cosine falls to lr_min behind it") {
  const ScheduleOptions options{.kind = Kind::cosine, .lr = 1, .lr_min = 0.02, .warmup_share = 0.1};
  CHECK(learning_rate(options, 0, 100, 0) == Approx(0.1));
  CHECK(learning_rate(options, 9, 100, 0) == Approx(1));
  CHECK(learning_rate(options, 10, 100, 0) == Approx(1));
  CHECK(learning_rate(options, 55, 100, 0) == Approx(0.51));
  CHECK(learning_rate(options, 100, 100, 0) == Approx(0.02));
}

TEST_CASE("a warm-up of less than one step takes one") {
  const ScheduleOptions options{.kind = Kind::constant, .lr = 3, .warmup_share = 0.01};
  CHECK(learning_rate(options, 0, 10, 0) == 3);
  CHECK(learning_rate(options, 9, 10, 0) == 3);
}

TEST_CASE("t_max 0 is the whole run, in epochs only when their number is known") {
  const ScheduleOptions options{.kind = Kind::cosine, .lr = 1, .per_epoch = true};
  CHECK(learning_rate(options, 0, 10, 1, 2) == Approx(0.5));
  REQUIRE_THROWS_WITH(learning_rate(options, 0, 10, 1), ContainsSubstring("number of epochs"));
}

TEST_CASE("a warm-up or period out of range is refused") {
  REQUIRE_THROWS_WITH(learning_rate({.warmup_share = 1.5}, 0, 10, 0),
                      ContainsSubstring("warmup_share must be from 0 to 1"));
  REQUIRE_THROWS_WITH(learning_rate({.t_max = -1}, 0, 10, 0), ContainsSubstring("t_max"));
}

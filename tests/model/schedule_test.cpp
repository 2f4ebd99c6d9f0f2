#include "model/schedule.h"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "model/model.h"
#include "tests/catch.h"

using namespace flowqat::model;
using Kind = ScheduleOptions::Kind;

namespace {

ScheduleOptions options_of(const nlohmann::json& json) {
  const std::map<std::string, Kind> kinds{{"constant", Kind::constant},
                                          {"cosine", Kind::cosine},
                                          {"linear", Kind::linear},
                                          {"polynomial", Kind::polynomial},
                                          {"inverse_sqrt", Kind::inverse_sqrt},
                                          {"tri_stage", Kind::tri_stage}};
  return {.kind = kinds.at(json.at("kind")),
          .lr = json.at("lr"),
          .lr_min = json.value("lr_min", 0.0),
          .t_max = json.value("t_max", 0.0),
          .power = json.value("power", 1.0),
          .warmup_share = json.value("warmup_share", 0.0),
          .warmup_steps = json.value("warmup_steps", int64_t{0}),
          .warmup_start = json.value("warmup_start", -1.0),
          .hold_for = json.value("hold_for", 0.0),
          .decay_for = json.value("decay_for", 0.0),
          .final_lr_scale = json.value("final_lr_scale", 0.01)};
}

}  // namespace

TEST_CASE("every schedule has the rates of PyTorch's, transformers' or fairseq's own") {
  std::ifstream file(FLOWQAT_SOURCE_DIR "/tests/golden/schedules.json");
  const auto cases = nlohmann::json::parse(file);
  std::set<Kind> kinds;
  for (const auto& expected : cases) {
    const ScheduleOptions options = options_of(expected.at("options"));
    kinds.insert(options.kind);
    const std::vector<double> rates = expected.at("rates");
    REQUIRE(rates.size() > 1);
    for (size_t i = 0; i < rates.size(); ++i) {
      INFO(expected.at("source") << ", step " << i);
      const auto at = static_cast<int64_t>(i);
      // PyTorch's schedulers go from rate to rate, and lose a digit now and then.
      CHECK(learning_rate(options, at, expected.at("steps"), 0) ==
            Approx(rates[i]).epsilon(1e-9).margin(1e-15));
    }
  }
  CHECK(kinds.size() == 6);
}

TEST_CASE("stepped by epochs, a schedule has the rates of PyTorch's stepped once an epoch") {
  std::ifstream file(FLOWQAT_SOURCE_DIR "/tests/golden/schedules.json");
  int compared = 0;
  for (const auto& expected : nlohmann::json::parse(file)) {
    ScheduleOptions options = options_of(expected.at("options"));
    if (options.t_max == 0 || options.warmup_steps > 0) continue;
    options.per_epoch = true;
    const std::vector<double> rates = expected.at("rates");
    for (size_t i = 0; i < rates.size(); ++i) {
      INFO(expected.at("source") << ", epoch " << i);
      CHECK(learning_rate(options, 123, 1000, static_cast<int64_t>(i)) ==
            Approx(rates[i]).epsilon(1e-9).margin(1e-15));
    }
    ++compared;
  }
  CHECK(compared == 6);
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

TEST_CASE("a tri-stage schedule without a decay of its own falls until the run ends") {
  const ScheduleOptions options{
      .kind = Kind::tri_stage, .lr = 1, .warmup_steps = 10, .hold_for = 30, .final_lr_scale = 0.25};
  CHECK(learning_rate(options, 40, 100, 0) == Approx(1));
  CHECK(learning_rate(options, 70, 100, 0) == Approx(0.5));
  CHECK(learning_rate(options, 100, 100, 0) == Approx(0.25));
}

TEST_CASE("a schedule out of range, or against itself, is refused by its keys") {
  const auto refused = [](const ScheduleOptions& options, const char* why) {
    REQUIRE_THROWS_WITH(check_schedule(options), ContainsSubstring(why));
    REQUIRE_THROWS_WITH(learning_rate(options, 0, 10, 0), ContainsSubstring(why));
  };
  refused({.warmup_share = 1.5}, "warmup_share must be from 0 to 1");
  refused({.t_max = -1}, "t_max");
  refused({.warmup_steps = -1}, "warmup_steps must be 0 or more");
  refused({.warmup_share = 0.1, .warmup_steps = 5}, "warmup_share or warmup_steps, not both");
  refused({.warmup_start = 2}, "warmup_start must be at most 1");
  refused({.kind = Kind::inverse_sqrt}, "give warmup_steps or warmup_share");
  refused({.kind = Kind::tri_stage, .final_lr_scale = 0}, "final_lr_scale must be above 0");
  refused({.kind = Kind::tri_stage, .per_epoch = true}, "count steps");
}

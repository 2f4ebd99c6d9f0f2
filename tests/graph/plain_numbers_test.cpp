#include "graph/plain_numbers.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "graph/json_lines.h"
#include "graph/time_left.h"
#include "tests/catch.h"

using namespace flowqat::graph;

TEST_CASE("numbers are written as people write them") {
  CHECK(whole_text(0) == "0");
  CHECK(whole_text(999) == "999");
  CHECK(whole_text(1000) == "1,000");
  CHECK(whole_text(281241) == "281,241");
  CHECK(whole_text(-1234567) == "-1,234,567");
  CHECK(whole_text(-123) == "-123");
  CHECK(counted(1, "epoch") == "1 epoch");
  CHECK(counted(0, "epoch") == "0 epochs");
  CHECK(counted(1024, "batch", "batches") == "1,024 batches");
}

TEST_CASE("durations have the units that fit them") {
  CHECK(duration_text(0) == "0 s");
  CHECK(duration_text(0.42) == "0.4 s");
  CHECK(duration_text(3.03) == "3 s");
  CHECK(duration_text(9.96) == "10 s");
  CHECK(duration_text(59.4) == "59 s");
  CHECK(duration_text(59.6) == "1 min");
  CHECK(duration_text(125) == "2 min 5 s");
  CHECK(duration_text(3599.6) == "1 h");
  CHECK(duration_text(3600 * 3 + 12 * 60) == "3 h 12 min");
  CHECK(duration_text(3600 * 3 + 59 * 60 + 45) == "4 h");
  CHECK(duration_text(3600 * 960.3) == "960 h");
  CHECK(duration_text(-3) == "0 s");
  CHECK(duration_text(std::numeric_limits<double>::infinity()) == "unknown");
}

TEST_CASE("percents are 100 only for all of it and 0 only for nothing") {
  CHECK(percent_text(0) == "0 %");
  CHECK(percent_text(0.001) == "1 %");
  CHECK(percent_text(0.5) == "50 %");
  CHECK(percent_text(0.9999) == "99 %");
  CHECK(percent_text(1) == "100 %");
}

TEST_CASE("fractions go to files with seven digits, whole numbers with all") {
  CHECK(rounded(1.0 / 3) == 0.3333333);
  CHECK(rounded(0.30000000000000004) == 0.3);
  CHECK(rounded(1234567.89) == 1234568);
  const Json json{{"wer", 2.0 / 3}, {"words", 123456789012}, {"all", {0.1 + 0.2, "text"}}};
  CHECK(json_line(json) == "{\"wer\":0.6666667,\"words\":123456789012,\"all\":[0.3,\"text\"]}\n");
  CHECK(json_line(Json("\xff")) == "\"\uFFFD\"\n");
}

TEST_CASE("the time left is not known in the first second, and then follows from what is done") {
  const TimeLeft time;
  CHECK(time.left_s(0) < 0);
  CHECK(time.left_s(0.5) < 0);
  CHECK(time.left_s(1) == 0);
}

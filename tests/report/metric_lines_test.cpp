#include "report/metric_lines.h"

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace flowqat::report;
using flowqat::graph::Json;

TEST_CASE("steps count over the train nodes of a run") {
  RunSteps steps;
  CHECK(steps.step_of({{"node", "start"}}) == 0);
  CHECK(steps.step_of({{"node", "learn"}, {"step", 10}}) == 10);
  CHECK(steps.step_of({{"node", "learn"}, {"step", 20}}) == 20);
  CHECK(steps.step_of({{"node", "adapt"}, {"step", 5}}) == 25);
  CHECK(steps.step_of({{"node", "wer"}, {"wer", 0.5}}) == 25);
  CHECK(steps.step_of({{"node", "adapt"}, {"step", 6}}) == 26);
  CHECK(steps.step_of({{"node", "adapt"}, {"step", "six"}}) == 26);
}

TEST_CASE("every finite number of a line has a name of its own") {
  const Json line = {{"node", "wer"},
                     {"model", "int8"},
                     {"step", 3},
                     {"wer", 0.25},
                     {"loss", nullptr},
                     {"bad", std::numeric_limits<double>::infinity()},
                     {"best", true},
                     {"words", {1, 2, 3}},
                     {"wer_interval", {0.2, 0.3}},
                     {"ranges", {{"layer.0", {{"input", {-1, 2}}}}}}};
  std::string text;
  for (const Scalar& scalar : scalars_of(line)) {
    text += scalar.tag + "=" + std::to_string(scalar.value) + " ";
  }
  CHECK(text ==
        "wer/int8/wer=0.250000 wer/int8/wer_interval/lower=0.200000 "
        "wer/int8/wer_interval/upper=0.300000 wer/int8/ranges/layer.0/input/lower=-1.000000 "
        "wer/int8/ranges/layer.0/input/upper=2.000000 ");
}

TEST_CASE("lines that are no objects are passed over") {
  const flowqat::testing::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "metrics.jsonl";
  std::ofstream(path) << "{\"step\": 1}\nnonsense\n[1]\n\n{\"step\": 2}\n{\"step\": 3";
  std::vector<int> seen;
  for_each_line(path, [&](const Json& line) { seen.push_back(line.at("step")); });
  CHECK(seen == std::vector<int>{1, 2});
  for_each_line(folder.path() / "none", [](const Json&) { FAIL(); });
}

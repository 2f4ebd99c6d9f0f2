#include "nodes/support/ctc_loss.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/catch.h"

using flowqat::nodes::ctc_loss;

TEST_CASE("the CTC loss is PyTorch's, for repeats, for nothing said, and where nothing fits") {
  std::ifstream file(FLOWQAT_SOURCE_DIR "/tests/golden/ctc_loss.json");
  const auto cases = nlohmann::json::parse(file);
  REQUIRE(cases.size() == 8);
  for (const auto& golden : cases) {
    const auto logits = golden.at("logits").get<std::vector<float>>();
    const auto target = golden.at("target").get<std::vector<int32_t>>();
    const double loss = ctc_loss(logits, golden.at("vocabulary"), target, golden.at("blank"));
    INFO(golden.at("target"));
    if (golden.at("loss").is_null()) {
      CHECK((std::isinf(loss) && loss > 0));
    } else {
      CHECK(loss == Approx(golden.at("loss").get<double>()).epsilon(1e-6));
    }
  }
}

TEST_CASE("a target that no frame can say has an infinite loss") {
  const std::vector<float> logits(8, 0.0f);
  CHECK(std::isinf(ctc_loss({}, 4, std::vector<int32_t>{1}, 0)));
  CHECK(ctc_loss({}, 4, {}, 0) == 0);
  CHECK(std::isinf(ctc_loss(logits, 4, std::vector<int32_t>{4}, 0)));
  CHECK(std::isinf(ctc_loss(logits, 4, std::vector<int32_t>{-1}, 0)));
  CHECK(ctc_loss(logits, 4, std::vector<int32_t>{1, 2}, 0) == Approx(2 * std::log(4)));
}

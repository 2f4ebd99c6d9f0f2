/// The rooms of the LibTorch library: no include runs up, and the umbrella header stays out.
#include "tests/architecture/rooms.h"
#include "tests/catch.h"

using namespace flowqat::testing;

namespace {

const std::filesystem::path root = FLOWQAT_SOURCE_DIR;

const Floors floors{
    {"base", {}},
    {"operators", {"base"}},
    {"int8", {"base", "operators"}},
    {"quantization", {"base", "operators", "int8"}},
    {"network", {"base", "operators", "quantization"}},
    {"distributed", {"base"}},
    {"training", {"base", "operators", "quantization", "network", "distributed"}},
    {"engine", {"base", "operators", "int8", "quantization", "network", "distributed", "training"}},
};

}  // namespace

TEST_CASE("the rooms behind the model's face include only what lies below them") {
  CHECK(wrong_includes(root, "model/torch", floors) == std::vector<std::string>{});
}

TEST_CASE("an include that runs up among those rooms is found") {
  Floors strict = floors;
  strict.at("training").erase("base");
  const auto wrong = wrong_includes(root, "model/torch", strict);
  CHECK(std::count(wrong.begin(), wrong.end(),
                   "model/torch/training/adamw.cpp -> model/torch/base/state_dict.h") == 1);
}

TEST_CASE("no unit includes the whole of LibTorch, which would cost it ten seconds") {
  const std::regex whole(
      R"(#include\s*<(torch/(torch|all|types|nn|optim)|ATen/ATen|ATen/Functions)\b)");
  std::vector<std::string> found;
  for (const std::string folder : {"model", "tests", "bench"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      if (std::regex_search(text.str(), whole)) found.push_back(entry.path().filename());
    }
  }
  CHECK(found == std::vector<std::string>{});
}

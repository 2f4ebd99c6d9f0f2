/// configs/four_bits.json as it stands, over small files.
#include <nlohmann/json.hpp>

#include "tests/nodes/small_run.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

TEST_CASE("configs/four_bits.json makes int8 of a float folder in weights of 4 bits") {
  const TemporaryFolder temporary;
  const fs::path root = temporary.path();
  make_small_inputs(root);
  Recorder making, recorder;
  run(make_graph(R"({"start": {"type": "model", "config": ")" + (root / "config").string() + R"("},
                     "save": {"type": "checkpoint", "model": "start", "folder": "float"}})",
                 root / "made"),
      making);
  graph::Json file = graph::read_graph(FLOWQAT_SOURCE_DIR "/configs/four_bits.json");
  const std::string corpus = (root / "corpus").string();
  for (const std::string& value :
       {"corpus.root=" + corpus, "dev_corpus.root=" + corpus,
        std::string("corpus.splits=[\"train\"]"), std::string("dev_corpus.splits=[\"dev\"]"),
        "start.path=" + (root / "made" / "float").string(), std::string("start.device=cpu"),
        std::string("threads=2")}) {
    graph::override_value(file, value);
  }
  file["out"] = (root / "out").string();
  run(graph::Graph(graph::resolve(file, "four_bits.json")), recorder);
  const graph::Json layers =
      graph::read_json(root / "out" / "int8" / "quantization.json").at("layers");
  REQUIRE_FALSE(layers.empty());
  for (const auto& [name, layer] : layers.items()) {
    INFO(name);
    const bool is_convolution = name.find("feature_extractor.") != std::string::npos;
    CHECK(layer.at("scheme").at("weight_bits") == 4);
    CHECK(layer.at("scheme").at("range") == (is_convolution ? "percentile" : "moving_average"));
  }
}

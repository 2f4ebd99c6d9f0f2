/// configs/full.json as it stands, over real speech and a small random model.
#include <cstdlib>

#include "tests/catch.h"
#include "tests/nodes/support.h"
#include "tests/small_model.h"
#include "tests/temporary_folder.h"

using namespace flowqat;
using flowqat::testing::TemporaryFolder;
using nodes::testing::make_graph;
using nodes::testing::Recorder;

TEST_CASE("configs/full.json runs on LibriSpeech folders with only paths, splits and hours given") {
  const char* data = std::getenv("FLOWQAT_TEST_DATA");
  if (!data) {
    WARN("skipped: FLOWQAT_TEST_DATA does not name the folder of test data (librispeech/ in it)");
    return;
  }
  const TemporaryFolder temporary;
  const std::string folder = temporary.path().string();
  const auto run = [&](const graph::Graph& graph, Recorder& recorder) {
    return graph::run_graph(graph, {.existing = graph::Existing::refuse,
                                    .reporter = &recorder,
                                    .stop_signal = &recorder.stop_signal});
  };
  flowqat::testing::write_small_config(temporary.path() / "config");
  Recorder making, recorder;
  run(make_graph(R"({"start": {"type": "model", "config": ")" + folder + R"(/config"},
                     "save": {"type": "checkpoint", "model": "start", "folder": "model"}})",
                 folder + "/made"),
      making);

  graph::Json file = graph::read_graph(FLOWQAT_SOURCE_DIR "/configs/full.json");
  for (const std::string& value :
       {"corpus.root=" + std::string(data) + "/librispeech",
        std::string("corpus.splits=[\"test-other\"]"), std::string("corpus.hours=0.05"),
        "dev_corpus.root=" + std::string(data) + "/librispeech",
        std::string("dev_corpus.splits=[\"test-clean\"]"),
        "start.path=" + folder + "/made/model"}) {
    graph::override_value(file, value);
  }
  file["out"] = folder + "/out";
  const graph::Json summary = run(graph::Graph(graph::resolve(file, "full.json")), recorder);
  for (const char* model : {"float", "ptq", "fake_quantized", "int8"})
    CHECK(summary.at("evaluations").at("wer").at("wer").contains(model));
  // Two epochs of at most 0.05 presented hours.
  CHECK(summary.at("train").at("audio_s").get<double>() <= 2 * 180.0);
  CHECK(summary.at("train").at("audio_s").get<double>() > 2 * 150.0);
  CHECK(summary.at("utterances").at("rejected") == 0);
}

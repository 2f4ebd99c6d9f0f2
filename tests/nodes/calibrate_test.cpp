/// Calibration that has nothing to hear.
#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/nodes/support.h"
#include "tests/nodes/wav.h"
#include "tests/small_model.h"
#include "tests/temporary_folder.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;

TEST_CASE("calibration of which no utterance can be used says so") {
  const flowqat::testing::TemporaryFolder folder;
  auto samples = tone(16000);
  samples[5] = std::nanf("");
  write_wav(folder.path() / "audio" / "a.wav", samples);
  const std::string config =
      flowqat::testing::write_small_config(folder.path() / "config").string();
  graph::Json file = graph::Json::parse(
      R"({"max_rejected_share": 1, "threads": 2, "nodes": {
        "corpus": {"type": "folder", "root": ")" +
      (folder.path() / "audio").string() + R"(", "cache": false},
        "decode": {"type": "decode", "from": "corpus"},
        "batch": {"type": "batch", "from": "decode", "size": 1},
        "start": {"type": "model", "config": ")" +
      config + R"(", "device": "cpu"},
        "observe": {"type": "calibrate", "model": "start", "audio": "batch"},
        "save": {"type": "checkpoint", "model": "observe"}}})");
  file["out"] = (folder.path() / "out").string();
  const graph::Graph graph(graph::resolve(file, "calibrate_test"));
  Recorder recorder;
  std::string told;
  try {
    graph::run_graph(graph, {.reporter = &recorder, .stop_signal = &recorder.stop_signal});
  } catch (const graph::RunError& error) {
    told = error.what();
  }
  CHECK_THAT(told, ContainsSubstring("node \"observe\": none of the utterances in 1 batch") &&
                       ContainsSubstring("rejected.jsonl"));
}

TEST_CASE("calibration hears utterances one by one: ranges do not depend on the batch's padding") {
  const flowqat::testing::TemporaryFolder folder;
  // A short one beside a long one: in one batch, four fifths of its row are padding.
  write_wav(folder.path() / "audio" / "a.wav", tone(8000));
  write_wav(folder.path() / "audio" / "b.wav", tone(40000));
  const std::string config =
      flowqat::testing::write_small_config(folder.path() / "config").string();
  const auto layers = [&](int size) {
    graph::Json file = graph::Json::parse(
        R"({"threads": 2, "nodes": {
        "corpus": {"type": "folder", "root": ")" +
        (folder.path() / "audio").string() + R"(", "cache": false},
        "decode": {"type": "decode", "from": "corpus"},
        "batch": {"type": "batch", "from": "decode", "order": "corpus", "size": )" +
        std::to_string(size) + R"(},
        "start": {"type": "model", "config": ")" +
        config + R"(", "device": "cpu"},
        "observe": {"type": "calibrate", "model": "start", "audio": "batch",
                    "feature_extractor": {"preset": "qnnpack", "range": "min_max"}},
        "save": {"type": "checkpoint", "model": "observe"}}})");
    const auto out = folder.path() / ("out" + std::to_string(size));
    file["out"] = out.string();
    Recorder recorder;
    graph::run_graph(graph::Graph(graph::resolve(file, "calibrate_test")),
                     {.reporter = &recorder, .stop_signal = &recorder.stop_signal});
    return graph::read_json(out / "model" / "fake_quantization.json").at("layers");
  };
  const graph::Json alone = layers(1), together = layers(2);
  CHECK(alone.size() == 7 + 2 * 6);
  CHECK(alone == together);
}

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

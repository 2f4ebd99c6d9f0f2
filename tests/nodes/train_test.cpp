/// The phases of quantization-aware training, and training with a teacher.
#include <nlohmann/json.hpp>

#include "nodes/training/quantization_phases.h"
#include "tests/nodes/small_run.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// "adapt" learns from the float model that it was calibrated from, in all three phases.
const std::vector<std::string> kTaught = {
    "adapt.teacher=learn",
    "adapt.distillation_weight=0.5",
    "adapt.distillation_temperature=2",
    "adapt.fake_quantize_from=2",
    "adapt.freeze_observers_at=0.5",
};

std::vector<std::string> with(std::vector<std::string> overrides, const std::string& value) {
  overrides.push_back(value);
  return overrides;
}

std::vector<double> losses_of(const fs::path& out, const std::string& node) {
  std::ifstream metrics(out / "metrics.jsonl");
  std::vector<double> losses;
  for (std::string line; std::getline(metrics, line);) {
    const auto json = graph::Json::parse(line);
    if (json.at("node") == node && json.contains("loss")) losses.push_back(json.at("loss"));
  }
  return losses;
}

}  // namespace

TEST_CASE("phases begin at a share of the steps up to 1, at a number of steps above") {
  const auto phases = [](double fake, double freeze) {
    nodes::TrainParams params;
    params.fake_quantize_from = fake;
    params.freeze_observers_at = freeze;
    const nodes::Phases found = nodes::phases_of(params, 200);
    return std::pair(found.fake_quantize_from, found.freeze_from);
  };
  CHECK(phases(0, 1) == std::pair<int64_t, int64_t>(0, 200));
  CHECK(phases(0.1, 0.7) == std::pair<int64_t, int64_t>(20, 140));
  CHECK(phases(30, 150) == std::pair<int64_t, int64_t>(30, 150));
  CHECK(phases(2, 0) == std::pair<int64_t, int64_t>(2, 2));  // observes at least until it rounds
}

TEST_CASE("until fake quantization begins, a calibrated model trains as the float one would") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  Recorder early, late, plain;
  run(small_quickstart(temporary.path(), "early"), early);
  run(small_quickstart(temporary.path(), "late", {"adapt.fake_quantize_from=3"}), late);
  run(small_quickstart(temporary.path(), "plain", {"adapt.model=learn", "int8.model=observe"}),
      plain);
  const auto rounded = losses_of(temporary.path() / "early", "adapt");
  const auto losses = losses_of(temporary.path() / "late", "adapt");
  const auto in_float = losses_of(temporary.path() / "plain", "adapt");
  REQUIRE(losses.size() > 4);
  REQUIRE(in_float.size() == losses.size());
  for (size_t step = 0; step < 3; ++step) CHECK(losses[step] == in_float[step]);
  CHECK(losses[3] != in_float[3]);
  CHECK(losses[0] != rounded[0]);
}

TEST_CASE("a run that never comes to fake quantization still gives a model to convert") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  Recorder recorder;
  const graph::Json summary =
      run(small_quickstart(temporary.path(), "out", {"adapt.fake_quantize_from=1"}), recorder);
  CHECK(summary.at("evaluations").at("wer").at("wer").contains("int8"));
}

TEST_CASE("taught training in phases, stopped anywhere and resumed, gives the same weights") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  Recorder uninterrupted, alone;
  const graph::Json whole =
      run(small_quickstart(temporary.path(), "whole", kTaught), uninterrupted);
  run(small_quickstart(temporary.path(), "alone",
                       {"adapt.fake_quantize_from=2", "adapt.freeze_observers_at=0.5"}),
      alone);
  CHECK(bytes(temporary.path() / "alone" / "model" / "model.safetensors") !=
        bytes(temporary.path() / "whole" / "model" / "model.safetensors"));
  for (const std::string stop_at : {"observe: 1 of ", "adapt: 1 of ", "adapt: 2 of ",
                                    "adapt: 3 of ", "adapt: 8 of ", "wer: ptq: "}) {
    INFO("stopped at " << stop_at);
    fs::remove_all(temporary.path() / "out");
    Recorder stopped, resumed;
    stopped.stop_at = stop_at;
    CHECK_THROWS_AS(run(small_quickstart(temporary.path(), "out", kTaught), stopped),
                    graph::Interrupted);
    const graph::Json summary =
        run(small_quickstart(temporary.path(), "out", kTaught), resumed, graph::Existing::resume);
    for (const char* file : {"model/model.safetensors", "model/fake_quantization.json",
                             "int8/model.safetensors", "int8/quantization.json"}) {
      INFO(file);
      CHECK(bytes(temporary.path() / "out" / file) == bytes(temporary.path() / "whole" / file));
    }
    CHECK(summary.at("evaluations").at("wer").at("wer") ==
          whole.at("evaluations").at("wer").at("wer"));
  }
}

TEST_CASE("a model that others need still teaches, and comes out unchanged") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  Recorder with_teacher, without;
  // The teacher is also what training starts from, and what is evaluated.
  const graph::Json summary =
      run(small_quickstart(temporary.path(), "out", with(kTaught, "learn.epochs=1")), with_teacher);
  const graph::Json plain =
      run(small_quickstart(temporary.path(), "plain", {"learn.epochs=1"}), without);
  CHECK(summary.at("evaluations").at("wer").at("wer").at("float") ==
        plain.at("evaluations").at("wer").at("wer").at("float"));
  CHECK(bytes(temporary.path() / "out" / "wer-float.jsonl") ==
        bytes(temporary.path() / "plain" / "wer-float.jsonl"));
  CHECK(bytes(temporary.path() / "out" / "wer-ptq.jsonl") ==
        bytes(temporary.path() / "plain" / "wer-ptq.jsonl"));
}

TEST_CASE("teachers that cannot teach are refused by node and key, before anything is run") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  CHECK_THAT(refusal(temporary.path(), {"adapt.distillation_weight=1"}),
             ContainsSubstring("node \"adapt\": key \"distillation_weight\": needs the key "
                               "\"teacher\""));
  CHECK_THAT(refusal(temporary.path(), {"adapt.teacher=learn"}),
             ContainsSubstring("node \"adapt\": key \"teacher\": needs a \"distillation_weight\""));
  CHECK_THAT(refusal(temporary.path(), with(kTaught, "adapt.distillation_temperature=0")),
             ContainsSubstring("from 0.1"));
  CHECK_THAT(refusal(temporary.path(), with(kTaught, "adapt.teacher=batch")),
             ContainsSubstring("teacher"));

  flowqat::testing::write_small_config(temporary.path() / "other");
  const auto refused_for = [&](const std::string& field, const std::string& value) {
    graph::Json config = graph::read_json(temporary.path() / "config" / "config.json");
    config[field] = graph::Json::parse(value);
    graph::write_json(temporary.path() / "other" / "config.json", config);
    graph::Json file = graph::read_graph(FLOWQAT_SOURCE_DIR "/configs/quickstart.json");
    file["nodes"]["other"] = {{"type", "model"}, {"config", (temporary.path() / "other").string()}};
    for (const char* value : {"adapt.teacher=other", "adapt.distillation_weight=1"}) {
      graph::override_value(file, value);
    }
    graph::override_value(file, "start.config=" + (temporary.path() / "config").string());
    try {
      graph::Graph(graph::resolve(file, "quickstart.json"));
    } catch (const graph::GraphError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK(refused_for("hidden_size", "16") == "accepted");
  CHECK_THAT(refused_for("vocab_size", "30"), ContainsSubstring("32 tokens with blank 0") &&
                                                  ContainsSubstring("\"other\" has 30 tokens"));
  CHECK_THAT(refused_for("conv_stride", "[5, 2, 2, 2, 2, 2, 1]"),
             ContainsSubstring("\"other\" makes other frames"));
}

/// Whole runs: train, calibrate, adapt, checkpoint, convert, evaluate, with a very small model.
#include <nlohmann/json.hpp>

#include "tests/nodes/small_run.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
namespace fs = std::filesystem;
using flowqat::testing::make_corpus;
using flowqat::testing::TemporaryFolder;
using flowqat::testing::write_small_config;

TEST_CASE("a whole run leaves its folder and its summary") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  Recorder recorder;
  const graph::Json summary = run(small_quickstart(temporary.path(), "out"), recorder);
  const graph::Json& evaluation = summary.at("evaluations").at("wer");
  const fs::path out = temporary.path() / "out";
  for (const char* model : {"float", "ptq", "fake_quantized", "int8"}) {
    INFO(model);
    CHECK(check_listing(out, summary, model) == 3);
    CHECK_THAT(recorder.results, ContainsSubstring(model));
  }
  const graph::Json& differences = evaluation.at("differences");
  CHECK(differences.at("to") == "float");
  CHECK(differences.at("confidence") == 0.95);
  for (const char* model : {"ptq", "fake_quantized", "int8"}) {
    for (const char* rate : {"wer", "cer"}) {
      INFO(model << " " << rate);
      const graph::Json& found = differences.at(rate).at(model);
      const double difference = evaluation.at(rate).at(model).get<double>() -
                                evaluation.at(rate).at("float").get<double>();
      CHECK(found.at("difference").get<double>() == Approx(difference).margin(1e-6));
      CHECK(found.at("low").get<double>() <= difference + 1e-6);
      CHECK(found.at("high").get<double>() >= difference - 1e-6);
      CHECK(found.at("utterances") == 3);
    }
  }
  CHECK_THAT(recorder.results, ContainsSubstring("\nagainst float ") &&
                                   ContainsSubstring("10,000 resamples of 3 utterances"));
  CHECK(evaluation.at("size_bytes").at("int8").get<int64_t>() <
        evaluation.at("size_bytes").at("float").get<int64_t>());
  CHECK(summary.at("train").at("audio_s").get<double>() > 20);
  CHECK(summary.at("train").at("wall_s").get<double>() > 0);
  const double starved_share = summary.at("train").at("starved_share");
  CHECK((starved_share >= 0 && starved_share <= 1));
  CHECK(summary.at("utterances").at("rejected") == 0);
  CHECK(summary.at("batches_sha256").get<std::string>().size() == 64);
  for (const char* file :
       {"graph.json", "metrics.jsonl", "rejected.jsonl", "summary.json", "model/model.safetensors",
        "model/config.json", "model/vocab.json", "model/preprocessor_config.json",
        "float/model.safetensors", "float/config.json", "model/fake_quantization.json",
        "int8/model.safetensors", "int8/quantization.json"}) {
    INFO(file);
    CHECK(fs::exists(out / file));
  }
  CHECK_THAT(recorder.results, ContainsSubstring("WER %") && ContainsSubstring("CER %"));
  CHECK_FALSE(fs::exists(out / "float" / "fake_quantization.json"));  // as it was before
  // The resolved graph alone reproduces the run.
  Recorder again;
  graph::Json resolved = graph::read_graph(out / "graph.json");
  resolved["out"] = (temporary.path() / "again").string();
  run(graph::Graph(graph::resolve(resolved, "graph.json")), again);
  CHECK(bytes(temporary.path() / "again" / "model" / "model.safetensors") ==
        bytes(out / "model" / "model.safetensors"));
}

TEST_CASE("a run stopped at any step and resumed leaves what one that was not stopped leaves") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  flowqat::testing::damage(temporary.path() / "corpus" / "train" / "101" / "1" / "101-1-0002.flac");
  // Logged so seldom that stops fall between.
  const std::vector<std::string> logged = {"learn.log_every_steps=3", "adapt.log_every_steps=2",
                                           "learn.checkpoint_every_s=1e-9"};
  Recorder uninterrupted;
  run(small_quickstart(temporary.path(), "whole", logged), uninterrupted);
  for (const std::string stop_at :
       {"learn: 3 of ", "observe: 1 of ", "adapt: 2 of ", "wer: ptq: "}) {
    INFO("stopped at " << stop_at);
    fs::remove_all(temporary.path() / "out");
    Recorder stopped, resumed;
    stopped.stop_at = stop_at;
    CHECK_THROWS_AS(run(small_quickstart(temporary.path(), "out", logged), stopped),
                    graph::Interrupted);
    run(small_quickstart(temporary.path(), "out", logged), resumed, graph::Existing::resume);
    check_same_run(temporary.path() / "out", temporary.path() / "whole");
  }
}

TEST_CASE("a run resumed again and again keeps every line of its lists") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  flowqat::testing::damage(temporary.path() / "corpus" / "train" / "101" / "1" / "101-1-0002.flac");
  Recorder uninterrupted;
  run(small_quickstart(temporary.path(), "whole"), uninterrupted);
  graph::Existing existing = graph::Existing::refuse;
  for (const std::string stop_at : {"learn: 2 of ", "learn: 5 of ", "observe: 1 of ",
                                    "adapt: 1 of ", "adapt: 6 of ", "wer: float: ", "wer: ptq: "}) {
    INFO("stopped at " << stop_at);
    Recorder stopped;
    stopped.stop_at = stop_at;
    CHECK_THROWS_AS(run(small_quickstart(temporary.path(), "out"), stopped, existing),
                    graph::Interrupted);
    existing = graph::Existing::resume;
    for (const char* list : {"metrics.jsonl", "rejected.jsonl"}) {
      CHECK(bytes(temporary.path() / "out" / list).find('\0') == std::string::npos);
    }
  }
  Recorder resumed;
  run(small_quickstart(temporary.path(), "out"), resumed, existing);
  check_same_run(temporary.path() / "out", temporary.path() / "whole");
}

TEST_CASE("a broken file in the corpus is counted and training goes on without it") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  flowqat::testing::damage(temporary.path() / "corpus" / "train" / "101" / "1" / "101-1-0002.flac");
  Recorder recorder;
  const graph::Json summary = run(small_quickstart(temporary.path(), "out"), recorder);
  CHECK(summary.at("utterances").at("rejected").get<int>() >= 4);  // once an epoch
  CHECK(summary.at("evaluations").at("wer").at("wer").contains("int8"));
}

TEST_CASE("audio at another rate than the model's is refused with what to do") {
  const TemporaryFolder temporary;
  make_corpus(temporary.path() / "corpus", {.split = "train", .rate_hz = 8000});
  make_corpus(temporary.path() / "corpus", {.split = "dev", .speakers = 1, .utterances = 1});
  write_small_config(temporary.path() / "config");
  Recorder recorder;
  CHECK_THROWS_WITH(run(small_quickstart(temporary.path(), "out"), recorder),
                    ContainsSubstring("comes at 8000 Hz") && ContainsSubstring("resample"));
  // The same when it is a model's audio alone, for lack of training.
  const graph::Json listen = {
      {"corpus",
       {{"type", "librispeech"},
        {"root", (temporary.path() / "corpus").string()},
        {"splits", {"train"}}}},
      {"decode", {{"type", "decode"}, {"from", "corpus"}}},
      {"batch", {{"type", "batch"}, {"from", "decode"}, {"size", 1}}},
      {"start", {{"type", "model"}, {"config", (temporary.path() / "config").string()}}},
      {"wer", {{"type", "evaluate"}, {"models", {"start"}}, {"audio", "batch"}}}};
  const std::string evaluated = (temporary.path() / "evaluated").string();
  CHECK_THROWS_WITH(run(flowqat::nodes::testing::make_graph(listen.dump(), evaluated), recorder),
                    ContainsSubstring("comes at 8000 Hz") && ContainsSubstring("resample"));
}

TEST_CASE("models that cannot be used are refused by node and key") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  const auto refusal = [&](const std::string& value) -> std::string {
    graph::Json file = graph::read_graph(FLOWQAT_SOURCE_DIR "/configs/quickstart.json");
    graph::override_value(file, value);
    try {
      graph::Graph(graph::resolve(file, "quickstart.json"));
    } catch (const std::exception& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK_THAT(refusal("start.config="), ContainsSubstring("node \"start\": give one of \"path\""));
  CHECK_THAT(refusal("start.config=/no/such"),
             ContainsSubstring("node \"start\", key \"config\": /no/such"));
  fs::remove(temporary.path() / "config" / "preprocessor_config.json");
  CHECK_THAT(refusal("start.config=" + (temporary.path() / "config").string()),
             ContainsSubstring("preprocessor_config.json"));
  graph::Json file = graph::read_graph(FLOWQAT_SOURCE_DIR "/configs/quickstart.json");
  graph::override_value(file, "start.config=" FLOWQAT_SOURCE_DIR "/configs/tiny-wav2vec2");
  graph::override_value(file, "observe.attention=int7");
  REQUIRE_THROWS_WITH(graph::Graph(graph::resolve(file, "quickstart.json")),
                      ContainsSubstring("node \"observe\"") &&
                          ContainsSubstring("attention: quantization preset \"int7\""));
  graph::override_value(file, R"(observe.attention={"preset": "fbgemm", "weight_bits": 3})");
  REQUIRE_THROWS_WITH(
      graph::Graph(graph::resolve(file, "quickstart.json")),
      ContainsSubstring("node \"observe\"") && ContainsSubstring("attention.weight_bits"));
}

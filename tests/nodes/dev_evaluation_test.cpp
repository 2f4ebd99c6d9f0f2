/// Training that is evaluated while it runs.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "tests/nodes/small_run.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// Both trainings are evaluated, by steps and by epochs, on three batches, of which one is broken.
const std::vector<std::string> kEvaluated = {
    "dev_batch.max_padded_s=1", "learn.dev=dev_batch",           "learn.evaluate_every_steps=3",
    "learn.best_by=loss",       "adapt.dev=dev_batch",           "adapt.evaluate_int8=true",
    "adapt.best_by=loss",       "adapt.evaluate_every_epochs=2",
};

std::vector<std::string> with(std::vector<std::string> overrides,
                              const std::vector<std::string>& more) {
  overrides.insert(overrides.end(), more.begin(), more.end());
  return overrides;
}

void make_inputs(const fs::path& folder) {
  make_small_inputs(folder);
  flowqat::testing::damage(folder / "corpus" / "dev" / "101" / "1" / "101-1-0001.flac");
  flowqat::testing::damage(folder / "corpus" / "train" / "101" / "1" / "101-1-0002.flac");
}

/// The lines of a node's evaluations.
std::vector<graph::Json> evaluations_of(const fs::path& out, const std::string& node) {
  std::vector<graph::Json> found;
  for (const graph::Json& line : lines_of(out / "metrics.jsonl")) {
    if (line.at("node") == node && line.contains("evaluation")) found.push_back(line);
  }
  return found;
}

int64_t steps_of(const fs::path& out, const std::string& node) {
  int64_t steps = 0;
  for (const graph::Json& line : lines_of(out / "metrics.jsonl")) {
    if (line.at("node") == node && line.contains("gradient_norm")) steps = line.at("step");
  }
  return steps;
}

/// The same run, evaluated only at its end.
graph::Graph without_evaluation(const fs::path& folder, const std::string& out,
                                const std::vector<std::string>& more = {}) {
  graph::Json file = small_quickstart_file(folder, out, more);
  for (const char* key : {"dev", "evaluate_every_epochs"}) file["nodes"]["learn"].erase(key);
  return graph::Graph(graph::resolve(file, "quickstart.json"));
}

}  // namespace

TEST_CASE("evaluation while training leaves the weights as they are without it, to the bit") {
  const TemporaryFolder temporary;
  make_inputs(temporary.path());
  Recorder quiet, evaluated;
  run(without_evaluation(temporary.path(), "quiet"), quiet);
  const graph::Json summary =
      run(small_quickstart(temporary.path(), "out",
                           with(kEvaluated, {"learn.hand_on=last", "adapt.hand_on=last",
                                             "adapt.fake_quantize_from=3"})),
          evaluated);
  const fs::path out = temporary.path() / "out", whole = temporary.path() / "quiet";
  CHECK((bytes(out / "float/model.safetensors") == bytes(whole / "float/model.safetensors")));
  // The phases apart, which the last run had and the first had not.
  Recorder phased;
  run(without_evaluation(temporary.path(), "phased", {"adapt.fake_quantize_from=3"}), phased);
  for (const char* file : {"model/model.safetensors", "model/fake_quantization.json",
                           "int8/model.safetensors", "int8/quantization.json"}) {
    INFO(file);
    CHECK((bytes(out / file) == bytes(temporary.path() / "phased" / file)));
  }
  const auto learn = evaluations_of(out, "learn"), adapt = evaluations_of(out, "adapt");
  const int64_t steps = steps_of(out, "learn");
  REQUIRE(std::ssize(learn) == (steps + 2) / 3);
  CHECK(learn[0].at("step") == 3);
  CHECK(learn.back().at("step") == steps);  // the last is always evaluated
  for (const graph::Json& line : learn) {
    CHECK(line.at("model") == "float");
    CHECK(line.at("evaluation") == "dev_batch");
    CHECK(line.at("utterances") == 2);
    CHECK(line.at("wer").get<double>() > 0);
    CHECK(line.at("cer").get<double>() > 0);
    CHECK(line.at("loss").get<double>() > 0);
    CHECK(line.at("reference_words") == 4);
  }
  // Float until fake quantization begins, then both; every second epoch.
  std::vector<std::string> models;
  for (const graph::Json& line : adapt) models.push_back(line.at("model"));
  CHECK(models == std::vector<std::string>{"fake_quantized", "int8", "fake_quantized", "int8"});
  CHECK(adapt[0].at("epoch") == 2);
  CHECK(adapt[2].at("epoch") == 4);
  CHECK(summary.at("best").at("adapt").at("handed_on") == false);
}

TEST_CASE("while a calibrated model trains in float its evaluations are of a float model") {
  const TemporaryFolder temporary;
  make_inputs(temporary.path());
  Recorder recorder;
  const graph::Json summary =
      run(small_quickstart(temporary.path(), "out",
                           with(kEvaluated, {"adapt.fake_quantize_from=0.5", "adapt.best_of=int8",
                                             "adapt.evaluate_every_epochs=1"})),
          recorder);
  const auto lines = evaluations_of(temporary.path() / "out", "adapt");
  REQUIRE(lines.size() == 6);
  for (const size_t i : {0u, 1u}) {
    CHECK(lines[i].at("model") == "float");
    CHECK(lines[i].at("best") == false);
  }
  // Each line of progress has the last figure; the first comes before there is one.
  std::vector<std::string> adapting;
  for (const std::string& status : recorder.statuses) {
    if (status.starts_with("adapt: ") && status.find(" steps, ") != std::string::npos) {
      adapting.push_back(status);
    }
  }
  REQUIRE(adapting.size() > 2);
  CHECK(adapting.front().find("dev WER") == std::string::npos);
  CHECK_THAT(adapting.back(), ContainsSubstring(", dev WER "));
  CHECK(lines[2].at("model") == "fake_quantized");
  CHECK(lines[2].at("best") == false);
  CHECK(lines[3].at("model") == "int8");
  CHECK(lines[3].at("best") == true);
  CHECK(summary.at("best").at("adapt").at("model") == "int8");
}

TEST_CASE("the figures are those that an evaluate node finds for the model that is handed on") {
  const TemporaryFolder temporary;
  make_inputs(temporary.path());
  Recorder recorder;
  // The average of the weights, too, is what is evaluated and handed on, the best step's as well.
  const std::string decay = GENERATE(as<std::string>(), "0", "0.8");
  INFO("ema_decay " << decay);
  const graph::Json summary =
      run(small_quickstart(
              temporary.path(), "out",
              with(kEvaluated, {"dev_batch.order=corpus", "learn.ema_decay=" + decay,
                                "adapt.ema_decay=" + decay, "learn.lr=0.02", "adapt.lr=0.02"})),
          recorder);
  const graph::Json& evaluation = summary.at("evaluations").at("wer");
  const graph::Json& best = summary.at("best");
  for (const char* rate : {"wer", "cer"}) {
    CHECK(best.at("learn").at(rate).get<double>() ==
          Approx(evaluation.at(rate).at("float").get<double>()));
    CHECK(best.at("adapt").at(rate).get<double>() ==
          Approx(evaluation.at(rate).at("fake_quantized").get<double>()));
  }
  // The int8 model of the best step is the one that conversion then made.
  for (const graph::Json& line : evaluations_of(temporary.path() / "out", "adapt")) {
    if (line.at("model") != "int8" || line.at("step") != best.at("adapt").at("step")) continue;
    CHECK(line.at("wer").get<double>() == Approx(evaluation.at("wer").at("int8").get<double>()));
    CHECK(line.at("cer").get<double>() == Approx(evaluation.at("cer").at("int8").get<double>()));
  }
}

TEST_CASE("the best model is kept and handed on, although training went on and got worse") {
  const TemporaryFolder temporary;
  make_inputs(temporary.path());
  Recorder recorder;
  // A rate at which it first learns to say nothing, and then learns nonsense.
  const graph::Json summary =
      run(small_quickstart(
              temporary.path(), "out",
              // "adapt" has no checkpoints of its own, which would take the place of these.
              {"dev_batch.max_padded_s=1", "learn.lr=0.3", "learn.dev=dev_batch",
               "learn.best_by=loss", "learn.evaluate_every_steps=1", "learn.keep_checkpoints=1",
               "learn.checkpoint_every_s=1e-9"}),
          recorder);
  const fs::path out = temporary.path() / "out";
  double lowest = std::numeric_limits<double>::infinity();
  int64_t best = 0;
  for (const graph::Json& line : evaluations_of(out, "learn")) {
    const double loss = line.at("loss");
    CHECK(line.at("best") == (loss < lowest));
    if (loss < lowest) best = line.at("step");
    lowest = std::min(lowest, loss);
  }
  REQUIRE(best < steps_of(out, "learn"));
  CHECK(summary.at("best").at("learn").at("step") == best);
  CHECK(summary.at("best").at("learn").at("handed_on") == true);
  const fs::path kept = out / "checkpoints" / ("step-" + std::to_string(best));
  CHECK((bytes(kept / "model.safetensors") == bytes(out / "float" / "model.safetensors")));
}

TEST_CASE("a run stopped in the middle of an evaluation and resumed goes on there") {
  const TemporaryFolder temporary;
  make_inputs(temporary.path());
  const auto overrides =
      with(kEvaluated, {"learn.checkpoint_every_s=1e-9", "learn.keep_checkpoints=2"});
  Recorder uninterrupted;
  run(small_quickstart(temporary.path(), "whole", overrides), uninterrupted);
  const graph::Json best = graph::read_json(temporary.path() / "whole" / "summary.json").at("best");
  for (const std::string stop_at :
       {"learn: dev_batch, float: 1 of 3", "learn: dev_batch, float: 3 of 3", "learn: 4 of ",
        "adapt: dev_batch, fake_quantized: 2 of 3", "adapt: dev_batch, int8: 1 of 3",
        "adapt: dev_batch, int8: 3 of 3", "wer: float: "}) {
    INFO("stopped at " << stop_at);
    fs::remove_all(temporary.path() / "out");
    Recorder stopped, resumed;
    stopped.stop_at = stop_at;
    CHECK_THROWS_AS(run(small_quickstart(temporary.path(), "out", overrides), stopped),
                    graph::Interrupted);
    // In time: at the next batch of the evaluation.
    if (stop_at.find("1 of 3") != std::string::npos) {
      CHECK(stopped.statuses.back().find("1 of 3") != std::string::npos);
    }
    const graph::Json summary =
        run(small_quickstart(temporary.path(), "out", overrides), resumed, graph::Existing::resume);
    check_same_run(temporary.path() / "out", temporary.path() / "whole");
    CHECK(summary.at("best") == best);
  }
}

TEST_CASE(
    "training that gets no better ends by its patience, also when it was stopped right there") {
  const TemporaryFolder temporary;
  make_inputs(temporary.path());
  const auto overrides = with(kEvaluated, {"learn.lr=0", "learn.lr_min=0",
                                           "learn.evaluate_every_steps=1", "learn.patience=2"});
  Recorder uninterrupted;
  run(small_quickstart(temporary.path(), "whole", overrides), uninterrupted);
  const fs::path whole = temporary.path() / "whole";
  CHECK(steps_of(whole, "learn") == 3);
  const auto lines = evaluations_of(whole, "learn");
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].at("best") == true);  // of equal ones the first
  CHECK(lines[1].at("best") == false);
  CHECK(std::ranges::any_of(uninterrupted.said, [](const std::string& line) {
    return line == "learn: ends here: 2 evaluations without a better loss than that of step 1";
  }));
  for (const bool is_last_batch : {false, true}) {
    INFO(is_last_batch);
    fs::remove_all(temporary.path() / "out");
    struct Third : Recorder {
      void progress(const graph::Progress& progress) override {
        Recorder::progress(progress);
        if (progress.what == "learn: dev_batch, float" && progress.done == batch && ++seen == 3) {
          stop_signal = 2;
        }
      }
      int64_t batch = 0;
      int seen = 0;
    } stopped;
    stopped.batch = is_last_batch ? 3 : 1;
    CHECK_THROWS_AS(run(small_quickstart(temporary.path(), "out", overrides), stopped),
                    graph::Interrupted);
    Recorder resumed;
    run(small_quickstart(temporary.path(), "out", overrides), resumed, graph::Existing::resume);
    check_same_run(temporary.path() / "out", whole);
  }
}

TEST_CASE("evaluation that cannot be is refused by its key") {
  const TemporaryFolder temporary;
  make_inputs(temporary.path());
  for (const std::string key :
       {"evaluate_every_steps=5", "evaluate_int8=true", "best_of=int8", "patience=3"}) {
    CHECK_THAT(refusal(temporary.path(), {"adapt." + key}),
               ContainsSubstring("node \"adapt\": key \"" + key.substr(0, key.find('=')) +
                                 "\": needs the key \"dev\""));
  }
  CHECK_THAT(refusal(temporary.path(), {"adapt.dev=dev_batch", "adapt.best_of=int8"}),
             ContainsSubstring("key \"best_of\": \"int8\" needs \"evaluate_int8\": true"));
  CHECK_THAT(
      refusal(temporary.path(), {"learn.dev=dev_batch", "learn.evaluate_int8=true"}),
      ContainsSubstring("node \"learn\": key \"evaluate_int8\": the model is not calibrated"));
  CHECK_THAT(refusal(temporary.path(), {"learn.dev=dev_decode"}), ContainsSubstring("dev"));
}

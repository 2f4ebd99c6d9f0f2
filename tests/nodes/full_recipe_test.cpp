/// configs/full.json as it stands, over real speech and a small random model; and
/// configs/smoke.json, which is to be the same recipe in seconds.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/nodes/small_run.h"
#include "tests/skip.h"

using namespace flowqat;
using flowqat::testing::TemporaryFolder;
using nodes::testing::make_graph;
using nodes::testing::Recorder;
using nodes::testing::run;
namespace fs = std::filesystem;

namespace {

graph::Json config(const std::string& name) {
  return graph::read_graph(FLOWQAT_SOURCE_DIR "/configs/" + name);
}

graph::Graph with(graph::Json file, const std::vector<std::string>& values, const fs::path& out) {
  for (const std::string& value : values) graph::override_value(file, value);
  file["out"] = out.string();
  return graph::Graph(graph::resolve(file, "recipe.json"));
}

void check_whole_recipe(const graph::Json& summary, const fs::path& out, int64_t dev_utterances) {
  for (const char* model : {"float", "ptq", "fake_quantized", "int8"}) {
    INFO(model);
    CHECK(nodes::testing::check_listing(out, summary, model) == dev_utterances);
  }
  CHECK(summary.at("utterances").at("rejected") == 0);
  for (const char* file : {"model/model.safetensors", "model/fake_quantization.json",
                           "int8/model.safetensors", "int8/quantization.json"}) {
    INFO(file);
    CHECK(fs::file_size(out / file) > 0);
  }
  // Two rates, 5e-5 and then half of it: both epochs were trained.
  std::ifstream metrics(out / "metrics.jsonl");
  std::vector<double> rates;
  for (std::string line; std::getline(metrics, line);) {
    const graph::Json metric = graph::Json::parse(line);
    if (!metric.contains("learning_rate")) continue;
    const double rate = metric.at("learning_rate");
    if (rates.empty() || rates.back() != Approx(rate)) rates.push_back(rate);
  }
  REQUIRE(rates.size() == 2);
  CHECK(rates[0] == Approx(5e-5));
  CHECK(rates[1] == Approx(2.5e-5));
}

/// What smoke.json may say otherwise than full.json: where the speech is and how much of it is
/// taken, and which model is trained. An empty node name stands for the top level.
const std::map<std::string, std::vector<std::string>> kMayDiffer{
    {"", {"comment", "out"}},
    {"corpus", {"root", "splits", "hours", "download"}},
    {"dev_corpus", {"root", "splits", "hours", "download"}},
    {"start", {"path", "config"}},
    {"adapt", {"dev", "evaluate_int8", "best_by", "best_of", "patience"}},
};

graph::Json without_differences(graph::Json file) {
  for (const auto& [node, keys] : kMayDiffer) {
    graph::Json& object = node.empty() ? file : file.at("nodes").at(node);
    for (const std::string& key : keys) object.erase(key);
  }
  return file;
}

}  // namespace

TEST_CASE("configs/smoke.json is configs/full.json but for its speech and its model") {
  const graph::Json full = config("full.json"), smoke = config("smoke.json");
  CHECK(without_differences(smoke).dump(2) == without_differences(full).dump(2));
  // What is not named may not differ: the comparison sees every other key.
  graph::Json other = smoke;
  graph::override_value(other, "adapt.lr=1e-4");
  CHECK(without_differences(other) != without_differences(full));
  CHECK(smoke.at("nodes").at("corpus").at("hours") < 0.1);
}

TEST_CASE("configs/smoke.json runs through two epochs, conversion and evaluation") {
  const TemporaryFolder temporary;
  const fs::path root = temporary.path();
  flowqat::testing::make_corpus(root / "corpus", {.split = "train-demo"});
  flowqat::testing::make_corpus(root / "corpus",
                                {.split = "dev-demo", .speakers = 1, .utterances = 3});
  Recorder recorder;
  const graph::Json summary = run(with(config("smoke.json"),
                                       {"corpus.root=" + (root / "corpus").string(),
                                        "dev_corpus.root=" + (root / "corpus").string(),
                                        "start.config=" FLOWQAT_SOURCE_DIR "/configs/tiny-wav2vec2",
                                        "start.device=cpu", "adapt.log_every_steps=1"},
                                       root / "out"),
                                  recorder);
  check_whole_recipe(summary, root / "out", 3);
  CHECK(summary.at("train").at("audio_s").get<double>() > 2 * 20);
}

TEST_CASE("configs/full.json runs on real speech with only paths, splits and hours given") {
  const char* data = std::getenv("FLOWQAT_TEST_DATA");
  if (!data) return flowqat::testing::skip("no FLOWQAT_TEST_DATA");
  const TemporaryFolder temporary;
  const std::string folder = temporary.path().string();
  flowqat::testing::write_small_config(temporary.path() / "config");
  Recorder making, recorder;
  run(make_graph(R"({"start": {"type": "model", "config": ")" + folder + R"(/config"},
                     "save": {"type": "checkpoint", "model": "start", "folder": "model"}})",
                 folder + "/made"),
      making);
  // All 104 utterances are evaluated, and a part of every speed factor's is trained on.
  const std::string splits = R"(.splits=["test-other", "test-clean"])";
  graph::Json file = config("full.json");
  for (const char* corpus : {"corpus", "dev_corpus"}) file["nodes"][corpus].erase("download");
  const graph::Json summary =
      run(with(file,
               {"corpus.root=" + std::string(data) + "/librispeech", "corpus" + splits,
                "corpus.hours=0.06", "dev_corpus.root=" + std::string(data) + "/librispeech",
                "dev_corpus" + splits, "start.path=" + folder + "/made/model",
                "adapt.log_every_steps=1"},
               folder + "/out"),
          recorder);
  check_whole_recipe(summary, folder + "/out", 104);
  // Two epochs of at most 0.06 presented hours.
  CHECK(summary.at("train").at("audio_s").get<double>() <= 2 * 216.0);
  CHECK(summary.at("train").at("audio_s").get<double>() > 2 * 186.0);
  CHECK(summary.at("transcripts").at("dev_batch").at("utterances") == 104);
  CHECK(summary.at("transcripts").at("dev_batch").at("out_of_vocabulary").empty());
}

/// What of a model learns, the weights' average, and where a model comes from.
#include <map>
#include <nlohmann/json.hpp>

#include "io/tensors/safetensors.h"
#include "tests/nodes/small_run.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::map<std::string, std::string> weights(const fs::path& folder) {
  std::map<std::string, std::string> by_name;
  for (const io::Tensor& tensor : io::read_safetensors(folder / "model.safetensors")) {
    by_name[tensor.name] =
        std::string(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  }
  REQUIRE_FALSE(by_name.empty());
  return by_name;
}

/// A small corpus, a model with the keys, and a float training of it with others.
class Trainings {
 public:
  Trainings() { make_small_inputs(root); }

  graph::Json graph(const std::string& out, const std::string& learn,
                    const std::string& start = "") const {
    graph::Json file = graph::Json::parse(
        R"({"threads": 2, "nodes": {
        "corpus": {"type": "librispeech", "root": ")" +
        (root / "corpus").string() +
        R"(", "splits": ["train"]},
        "decode": {"type": "decode", "from": "corpus"},
        "normalize": {"type": "normalize", "from": "decode"},
        "masks": {"type": "spec_augment", "from": "normalize", "model": "start"},
        "batch": {"type": "batch", "from": "masks", "size": 4},
        "start": {"type": "model", "device": "cpu", )" +
        (start.empty() ? R"("config": ")" + (root / "config").string() + "\"" : start) +
        R"(},
        "begin": {"type": "checkpoint", "model": "start", "folder": "begin"},
        "learn": {"type": "train", "model": "begin", "audio": "batch", "epochs": 2, "lr": 1e-3,
                  "log_every_steps": 1, )" +
        learn +
        R"(},
        "save": {"type": "checkpoint", "model": "learn"}}})");
    file["out"] = (root / out).string();
    return file;
  }
  std::string run(const graph::Json& file, graph::Existing existing = graph::Existing::refuse,
                  const std::string& stop_at = "") const {
    Recorder recorder;
    recorder.stop_at = stop_at;
    const graph::Graph graph(graph::resolve(file, "graph.json"));
    if (stop_at.empty()) {
      nodes::testing::run(graph, recorder, existing);
    } else {
      CHECK_THROWS_AS(nodes::testing::run(graph, recorder, existing), graph::Interrupted);
    }
    std::string said;
    for (const std::string& line : recorder.said) said += line + "\n";
    return said;
  }
  std::string refusal(const std::string& learn, const std::string& start = "") const {
    try {
      graph::Graph(graph::resolve(graph("out", learn, start), "graph.json"));
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "accepted";
  }

  TemporaryFolder temporary;
  fs::path root = temporary.path();
};

}  // namespace

TEST_CASE("the head alone learns for as long as the graph says, and then all") {
  const Trainings trainings;
  const std::string said = trainings.run(trainings.graph("whole", R"("head_only_for": 1)"));
  CHECK_THAT(said, ContainsSubstring("learn: \"head_only_for\" lasts for all of the 6 steps"));
  trainings.run(trainings.graph("part", R"("head_only_for": 0.5)"));
  const auto before = weights(trainings.root / "whole" / "begin"),
             whole = weights(trainings.root / "whole" / "model"),
             part = weights(trainings.root / "part" / "model");
  for (const auto& [name, bytes] : before) {
    INFO(name);
    CHECK((whole.at(name) != bytes) == name.starts_with("lm_head."));
    CHECK(part.at(name) != bytes);
  }
}

TEST_CASE("groups of parameters and frozen convolutions are the graph's to choose") {
  const Trainings trainings;
  trainings.run(trainings.graph("out", R"("freeze_feature_extractor": true, "parameter_groups": [
      {"match": "wav2vec2.encoder.*", "frozen": true}, {"match": "*.layers.1.*", "frozen": false},
      {"match": "lm_head.*", "lr_factor": 0, "weight_decay": 0}])"));
  const auto before = weights(trainings.root / "out" / "begin"),
             after = weights(trainings.root / "out" / "model");
  int learnt = 0;
  for (const auto& [name, bytes] : before) {
    INFO(name);
    const bool learns = name.find(".layers.1.") != std::string::npos ||
                        name.find("feature_projection") != std::string::npos ||
                        name.ends_with("masked_spec_embed");
    CHECK((after.at(name) != bytes) == learns);
    learnt += learns;
  }
  CHECK(learnt > 16);
}

TEST_CASE("an average of the weights is the result, and survives being stopped") {
  const Trainings trainings;
  const auto graph = [&](const std::string& out, const std::string& decay) {
    return trainings.graph(out, R"("ema_decay": )" + decay);
  };
  trainings.run(graph("last", "0"));
  trainings.run(graph("whole", "0.8"));
  trainings.run(graph("stopped", "0.8"), graph::Existing::refuse, "learn: 3 of ");
  trainings.run(graph("stopped", "0.8"), graph::Existing::resume);
  const auto begin = weights(trainings.root / "last" / "begin"),
             last = weights(trainings.root / "last" / "model"),
             average = weights(trainings.root / "whole" / "model");
  CHECK(average != last);
  CHECK(average != begin);
  CHECK(average == weights(trainings.root / "stopped" / "model"));
}

TEST_CASE(
    "layers computed again for the backward change nothing, and may be switched on resuming") {
  const Trainings trainings;
  const auto graph = [&](const std::string& out, const std::string& on) {
    return trainings.graph(out, R"("gradient_checkpointing": )" + on);
  };
  trainings.run(graph("plain", "false"));
  trainings.run(graph("again", "true"));
  trainings.run(graph("switched", "false"), graph::Existing::refuse, "learn: 3 of ");
  trainings.run(graph("switched", "true"), graph::Existing::resume);
  const auto plain = weights(trainings.root / "plain" / "model");
  CHECK(plain == weights(trainings.root / "again" / "model"));
  CHECK(plain == weights(trainings.root / "switched" / "model"));
}

TEST_CASE("dropouts of the graph take the place of config.json's, in the saved model too") {
  const Trainings trainings;
  const std::string config = R"("config": ")" + (trainings.root / "config").string() + "\"";
  trainings.run(trainings.graph("usual", R"("epsilon": 1e-8)", config));
  trainings.run(trainings.graph("other", R"("epsilon": 1e-8)",
                                config + R"(, "hidden_dropout": 0.3, "layerdrop": 0)"));
  const graph::Json saved = graph::read_json(trainings.root / "other" / "model" / "config.json");
  CHECK(saved.at("hidden_dropout") == 0.3);
  CHECK(saved.at("layerdrop") == 0);
  CHECK(saved.at("attention_dropout") == 0.1);
  CHECK(weights(trainings.root / "usual" / "model") != weights(trainings.root / "other" / "model"));
  CHECK_THAT(trainings.refusal(R"("epsilon": 1e-8)", config + R"(, "layerdrop": -0.5)"),
             ContainsSubstring("node \"start\": key \"layerdrop\": must be a number from 0 to 1"));
}

TEST_CASE("a model begins as another run's result, which is named where it is not there") {
  const Trainings trainings;
  trainings.run(trainings.graph("first", R"("epsilon": 1e-8)"));
  const std::string first = R"("run": ")" + (trainings.root / "first").string() + "\"";
  trainings.run(trainings.graph("second", R"("epsilon": 1e-8)", first));
  CHECK(weights(trainings.root / "second" / "begin") ==
        weights(trainings.root / "first" / "model"));
  const auto refusal = [&](const std::string& start) {
    return trainings.refusal(R"("epsilon": 1e-8)", start);
  };
  CHECK_THAT(refusal(first + R"(, "result": "float")"),
             ContainsSubstring("key \"result\": ") &&
                 ContainsSubstring("holds no model; the run's are \"begin\", \"model\""));
  CHECK_THAT(refusal(R"("run": ")" + (trainings.root / "config").string() + "\""),
             ContainsSubstring("is no folder of a run: run its graph first, or name a model's"));
  CHECK_THAT(refusal(first + R"(, "path": "x")"),
             ContainsSubstring("node \"start\": give one of \"path\""));
}

TEST_CASE("keys of fine-tuning that make no sense are refused by name") {
  const Trainings trainings;
  const auto refused = [&](const std::string& learn, const std::string& why) {
    INFO(learn);
    CHECK_THAT(trainings.refusal(learn), ContainsSubstring("node \"learn\": " + why));
  };
  const std::string group = "key \"parameter_groups\", group 1: ";
  refused(R"("parameter_groups": [{"frozen": true}])", group + "needs \"match\"");
  refused(R"("parameter_groups": [{"match": "*"}])", group + "says nothing of \"*\"");
  refused(R"("parameter_groups": [{"match": "*", "lr_facter": 2}])",
          group + "unknown key \"lr_facter\"; known are");
  refused(R"("parameter_groups": [{"match": "*", "lr_factor": -2}])",
          group + "\"lr_factor\" must be a number of at least 0, found -2");
  refused(R"("parameter_groups": [{"match": "*", "frozen": 1}])",
          group + "\"frozen\" must be true or false, found 1");
  refused(R"("freeze_feature_extractor": true, "feature_gradient_scale": 0.5)",
          "keys \"freeze_feature_extractor\" and \"feature_gradient_scale\"");
  refused(R"("warmup_share": 0.1, "warmup_steps": 5)",
          "schedule: give warmup_share or warmup_steps, not both");
  refused(R"("schedule": "inverse_sqrt")", "schedule: inverse_sqrt falls");
}

TEST_CASE("convolutions that are rounded but frozen are told") {
  const Trainings trainings;
  const auto said = [&](bool frozen) {
    Recorder recorder;
    run(small_quickstart(
            trainings.root, frozen ? "frozen" : "free",
            {std::string("adapt.freeze_feature_extractor=") + (frozen ? "true" : "false")}),
        recorder);
    std::string all;
    for (const std::string& line : recorder.said) all += line + "\n";
    return all;
  };
  const std::string told = "adapt: the feature extractor is quantized, but frozen";
  CHECK_THAT(said(true), ContainsSubstring(told));
  CHECK_THAT(said(false), !ContainsSubstring(told));
}

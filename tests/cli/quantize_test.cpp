/// Post-training quantization and sensitivity of a small model, as a person would ask for them.
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/corpus.h"
#include "tests/small_model.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::call_and_interrupt;
using flowqat::cli::testing::Outcome;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

std::string bytes(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  REQUIRE_FALSE(text.str().empty());
  return text.str();
}

nlohmann::json read_json(const fs::path& file) { return nlohmann::json::parse(bytes(file)); }

/// A float model's folder, after a little training, and the corpus it heard.
struct FloatModel {
  TemporaryFolder temporary;
  fs::path root = temporary.path();
  std::vector<fs::path> files = flowqat::testing::make_corpus(root / "corpus");
  std::string model = (root / "run" / "model").string();
  std::string manifest = " --manifest " + (root / "corpus").string();

  FloatModel() {
    flowqat::testing::write_small_config(root / "config");
    const nlohmann::json nodes = {
        {"corpus", {{"type", "librispeech"}, {"root", (root / "corpus").string()}}},
        {"decode", {{"type", "decode"}, {"from", "corpus"}}},
        {"normalize", {{"type", "normalize"}, {"from", "decode"}}},
        {"batch", {{"type", "batch"}, {"from", "normalize"}, {"size", 4}}},
        {"start", {{"type", "model"}, {"config", (root / "config").string()}}},
        {"learn", {{"type", "train"}, {"model", "start"}, {"audio", "batch"}, {"lr", 1e-3}}},
        {"save", {{"type", "checkpoint"}, {"model", "learn"}}}};
    std::ofstream(root / "graph.json") << nlohmann::json{{"nodes", nodes}};
    REQUIRE(call("--graph " + (root / "graph.json").string() + " --out " + (root / "run").string())
                .status == 0);
  }

  std::string path(const char* name) const { return (root / name).string(); }
  std::string quantize(const std::string& out) const {
    return "quantize " + model + manifest + " --out " + path(out.c_str());
  }
};

/// Nothing under temporary names either.
void check_nothing_is_left(const fs::path& root, const std::string& name) {
  for (const auto& entry : fs::directory_iterator(root)) {
    CHECK_FALSE(entry.path().filename().string().starts_with(name));
  }
}

void check_refused(const Outcome& outcome, const std::string& why, int status = 2) {
  CHECK(outcome.status == status);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, ContainsSubstring(why));
}

}  // namespace

TEST_CASE("quantize writes an int8 folder that the other commands take, and its sizes") {
  const FloatModel small;
  const Outcome outcome = call(small.quantize("int8") + " --batches 2 --batch 3 --json");
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  const auto json = nlohmann::json::parse(outcome.out);
  CHECK(json.at("layers_quantized") == 7 + 2 * 6);
  CHECK(json.at("layers_in_float") == 3);
  CHECK(json.at("utterances") == 6);
  CHECK(json.at("batches") == 2);
  CHECK(json.at("bytes").get<double>() < 0.6 * json.at("float_bytes").get<double>());
  CHECK(json.at("bytes") == fs::file_size(small.root / "int8" / "model.safetensors"));
  CHECK(fs::exists(small.root / "int8" / "quantization.json"));
  CHECK(call("evaluate " + small.path("int8") + small.manifest).status == 0);

  // The same seed hears the same utterances; another one others.
  REQUIRE(call(small.quantize("again") + " --batches 2 --batch 3").status == 0);
  CHECK(bytes(small.root / "again" / "quantization.json") ==
        bytes(small.root / "int8" / "quantization.json"));
  REQUIRE(call(small.quantize("again") + " --batches 2 --batch 1 --seed 5 --overwrite").status ==
          0);
  CHECK(bytes(small.root / "again" / "quantization.json") !=
        bytes(small.root / "int8" / "quantization.json"));

  REQUIRE(call(small.quantize("half") + " --half-positional-conv").status == 0);
  CHECK(fs::file_size(small.root / "half" / "model.safetensors") <
        fs::file_size(small.root / "int8" / "model.safetensors"));
  CHECK(call(small.quantize("half") + " --half-positional-conv --fake").status == 2);

  const Outcome text = call(small.quantize("fake") + " --fake");
  CHECK(text.status == 0);
  CHECK_THAT(text.out, ContainsSubstring("19 layers quantized, 3 left in float") &&
                           ContainsSubstring("MB in float"));
  CHECK(fs::exists(small.root / "fake" / "fake_quantization.json"));
  CHECK(call("evaluate " + small.path("fake") + small.manifest).status == 0);
}

TEST_CASE("a GPU that cannot be used is told of, once, by whatever would compute on it") {
  const FloatModel small;
  const std::string driver = "LD_LIBRARY_PATH='" FLOWQAT_BUILD_DIR "/tests/old_driver'";
  const std::string audio = small.files[0].string();
  for (const std::string& command :
       {small.quantize("int8"), "transcribe " + small.model + " " + audio,
        "evaluate " + small.model + small.manifest, "ranges " + small.model + small.manifest,
        "sensitivity " + small.model + small.manifest}) {
    INFO(command);
    const Outcome outcome = call(command, FLOWQAT_SOURCE_DIR, "", driver);
    CHECK(outcome.status == 0);
    const std::string reason = "flowqat: the CPU computes: ";
    const size_t at = outcome.err.find(reason);
    CHECK(at != std::string::npos);
    CHECK(outcome.err.find(reason, at + 1) == std::string::npos);
  }
  CHECK_THAT(
      call("transcribe --device cpu " + small.model + " " + audio, FLOWQAT_SOURCE_DIR, "", driver)
          .err,
      !ContainsSubstring("the CPU computes"));
}

TEST_CASE("quantize takes a policy from a file and choices over it") {
  const FloatModel small;
  std::ofstream(small.root / "policy.json")
      << R"({"feature_extractor": "none", "exceptions": [{"match": "*.q_proj", "choice": "none"}]})";
  const Outcome outcome =
      call(small.quantize("int8") + " --json --policy " + small.path("policy.json") +
           R"( --set feed_forward=none --set 'head={"preset": "fbgemm"}')");
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  const auto json = nlohmann::json::parse(outcome.out);
  CHECK(json.at("layers_quantized") == 2 * 3 + 1);
  CHECK(json.at("policy").at("feed_forward") == "none");
  const std::string layers = read_json(small.root / "int8" / "quantization.json").dump();
  CHECK_THAT(layers, ContainsSubstring("layers.1.attention.v_proj"));
}

TEST_CASE("quantize refuses what cannot be before it reads any audio") {
  const FloatModel small;
  const std::string quantize = small.quantize("int8");
  check_refused(call(quantize + " --set encoder=fbgemm"), "encoder");
  check_refused(call(quantize + " --set attention=int7"), "int7");
  check_refused(call(quantize + " --set attention"), "expected PART=CHOICE");
  check_refused(call(quantize + R"( --set 'attention={"preset": "fbgemm", "weight_bits": 3}')"),
                "attention.weight_bits: expected a whole number of bits from 4 to 8, found 3");
  check_refused(call(quantize + " --policy /no/such.json"), "/no/such.json");
  check_refused(call("quantize /no/such/model --manifest m.json --out " + small.path("int8")),
                "/no/such/model");
  check_refused(
      call("quantize " + small.model + " --manifest /no/such.json --out " + small.path("int8")),
      "/no/such.json");
  CHECK(call("quantize " + small.model + small.manifest).status == 2);  // to where?
  check_nothing_is_left(small.root, "int8");

  REQUIRE(call(quantize + " --batches 1").status == 0);
  check_refused(call(quantize), "--overwrite");
  CHECK(call(quantize + " --batches 1 --overwrite").status == 0);
  check_refused(
      call("quantize " + small.path("int8") + small.manifest + " --out " + small.path("twice")),
      "holds an int8 model");
  check_refused(
      call("quantize " + small.model + small.manifest + " --overwrite --out " + small.model),
      "is the folder of the model that is read");
  check_refused(call("quantize " + small.model + small.manifest + " --overwrite --out " +
                     small.path("corpus")),
                "is no model folder");
  CHECK(fs::exists(small.files[0]));
}

TEST_CASE("quantize counts damaged audio, and a corpus of nothing else is an error") {
  const FloatModel small;
  flowqat::testing::damage(small.files[0]);
  const Outcome counted = call(small.quantize("int8") + " --json");
  CHECK(nlohmann::json::parse(counted.out).at("rejected") == 1);
  CHECK_THAT(counted.err, ContainsSubstring("left out: " + small.files[0].string()));
  for (const fs::path& file : small.files) flowqat::testing::damage(file);
  check_refused(call(small.quantize("none")), "no audio that can be read", 1);
  check_nothing_is_left(small.root, "none");
}

TEST_CASE("quantize leaves nothing behind when it is interrupted") {
  const FloatModel small;
  // Long enough, and damaged files make it speak as soon as it hears.
  flowqat::testing::damage(small.files[0]);
  std::ofstream manifest(small.root / "long.jsonl");
  for (size_t i = 0; i < 20000; ++i) {
    manifest << nlohmann::json{{"audio_filepath", small.files[i % small.files.size()].string()},
                               {"duration", 0.5},
                               {"text", "A"}}
             << "\n";
  }
  manifest.close();
  const std::string err = small.path("err");
  const int status =
      call_and_interrupt("quantize " + small.model + " --manifest " + small.path("long.jsonl") +
                             " --batch 1 --batches 100000 --out " + small.path("int8"),
                         err, err);
  CHECK(status == 130);
  check_nothing_is_left(small.root, "int8");
}

TEST_CASE("sensitivity ranks the layers and proposes a policy that quantize takes") {
  const FloatModel small;
  const std::string command = "sensitivity " + small.model + small.manifest;
  const Outcome outcome = call(command + " --json --budget 0 --out " + small.path("units.jsonl") +
                               " --policy-out " + small.path("mixed.json"));
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  const auto json = nlohmann::json::parse(outcome.out);
  const auto& units = json.at("units");
  REQUIRE(units.size() == 19);
  CHECK(json.at("utterances") == 12);
  double before = 1e9;
  for (const auto& unit : units) {
    CHECK(unit.at("logit_error").get<double>() > 0);
    CHECK(unit.at("logit_error").get<double>() < 1);
    CHECK(unit.at("wer").get<double>() <= before);
    before = unit.at("wer").get<double>();
    CHECK(unit.at("layers").size() == 1);
  }
  const std::string listing = bytes(small.root / "units.jsonl");
  CHECK(std::count(listing.begin(), listing.end(), '\n') == 19);
  CHECK(json.at("proposal").at("wer").get<double>() <= json.at("wer_float").get<double>());
  CHECK(json.at("proposal").at("policy") == read_json(small.root / "mixed.json"));
  CHECK(call(small.quantize("int8") + " --policy " + small.path("mixed.json")).status == 0);

  const Outcome text = call(command + " --by part --limit 4 --calibration " + small.path("corpus") +
                            " --calibration-split train --set head=fbgemm --batches 2");
  INFO(text.err);
  CHECK(text.status == 0);
  for (const char* part :
       {"feature_extractor", "attention", "feed_forward", "head", "proposal: "}) {
    CHECK_THAT(text.out, ContainsSubstring(part));
  }
  CHECK_THAT(text.out, !ContainsSubstring("positional_conv"));
  check_refused(call(command + " --calibration-split train"), "--calibration, which is not given");
  CHECK(call(command + " --by tensor").status == 2);
}

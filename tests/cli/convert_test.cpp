/// A fake-quantized folder made int8 by the command, as a run does it.
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/corpus.h"
#include "tests/small_model.h"

using flowqat::cli::testing::call;
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

/// A run that leaves a small model as float/, model/ (fake-quantized) and int8/.
struct Stages {
  TemporaryFolder temporary;
  fs::path root = temporary.path(), run = root / "run";

  Stages() {
    flowqat::testing::make_corpus(root / "corpus", {.speakers = 1, .utterances = 2});
    flowqat::testing::write_small_config(root / "config");
    const nlohmann::json nodes = {
        {"corpus", {{"type", "librispeech"}, {"root", (root / "corpus").string()}}},
        {"decode", {{"type", "decode"}, {"from", "corpus"}}},
        {"batch", {{"type", "batch"}, {"from", "decode"}, {"size", 2}}},
        {"start", {{"type", "model"}, {"config", (root / "config").string()}}},
        {"keep", {{"type", "checkpoint"}, {"model", "start"}, {"folder", "float"}}},
        {"observe", {{"type", "calibrate"}, {"model", "keep"}, {"audio", "batch"}}},
        {"save", {{"type", "checkpoint"}, {"model", "observe"}}},
        {"int8", {{"type", "convert"}, {"model", "save"}}}};
    std::ofstream(root / "graph.json") << nlohmann::json{{"nodes", nodes}};
    const Outcome outcome =
        call("--graph " + (root / "graph.json").string() + " --out " + run.string());
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
  }

  Outcome convert(const std::string& model, const fs::path& out,
                  const std::string& more = "") const {
    return call("convert " + (run / model).string() + " --out " + out.string() + more);
  }
};

void check_refused(const Outcome& outcome, const std::string& why) {
  INFO(outcome.err);
  CHECK(outcome.status == 2);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, ContainsSubstring(why));
}

}  // namespace

TEST_CASE("convert writes the int8 folder that a run would write of the same model") {
  const Stages stages;
  const fs::path out = stages.root / "converted";
  const Outcome outcome = stages.convert("model", out);
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  CHECK_THAT(outcome.out,
             ContainsSubstring("MB fake-quantized") && ContainsSubstring("MB in int8"));
  CHECK_THAT(outcome.err, ContainsSubstring("written to " + out.string()));
  for (const char* file : {"model.safetensors", "quantization.json", "config.json", "vocab.json"}) {
    INFO(file);
    CHECK(bytes(out / file) == bytes(stages.run / "int8" / file));
  }
  CHECK_FALSE(fs::exists(out / "fake_quantization.json"));

  const Outcome again = stages.convert("model", out, " --overwrite --half-positional-conv --json");
  REQUIRE(again.status == 0);
  const auto json = nlohmann::json::parse(again.out);
  CHECK(json.at("bytes") == fs::file_size(out / "model.safetensors"));
  CHECK(json.at("bytes") < fs::file_size(stages.run / "int8" / "model.safetensors"));
  CHECK(json.at("bytes") < json.at("fake_quantized_bytes"));
}

TEST_CASE("convert refuses what it cannot convert, and writes over no stranger") {
  const Stages stages;
  const fs::path out = stages.root / "converted";
  check_refused(stages.convert("float", out),
                "holds a float model, which has no ranges yet; "
                "flowqat quantize");
  check_refused(stages.convert("int8", out), "holds an int8 model already");
  CHECK_FALSE(fs::exists(out));
  check_refused(stages.convert("model", stages.run / "int8"), "is already there");
  check_refused(stages.convert("model", stages.run / "model", " --overwrite"),
                "is the folder of the model that is read");
  check_refused(stages.convert("model", stages.root / "corpus", " --overwrite"),
                "is no model folder");
  CHECK(stages.convert("none", out).status != 0);
  // What takes a float model says so.
  check_refused(call("quantize " + (stages.run / "model").string() + " --manifest " +
                     (stages.root / "corpus").string() + " --out " + out.string()),
                "holds a fake-quantized model; calibration begins with a float one, and flowqat "
                "convert makes int8 of this one");
}

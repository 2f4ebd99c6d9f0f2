/// What a model node makes of a folder and of a vocabulary of the user's own.
#include <fstream>

#include "io/files/json_file.h"
#include "tests/catch.h"
#include "tests/nodes/support.h"
#include "tests/small_model.h"
#include "tests/temporary_folder.h"

using namespace flowqat;
namespace fs = std::filesystem;
using flowqat::testing::TemporaryFolder;
using nodes::testing::make_graph;
using nodes::testing::Recorder;

namespace {

/// Runs a model node with `keys` into FOLDER/OUT/model; what it said.
std::string saved_by(const std::string& keys, const fs::path& folder, const std::string& out) {
  Recorder recorder;
  graph::run_graph(make_graph(R"({"start": {"type": "model", "device": "cpu", )" + keys + R"(},
                                  "save": {"type": "checkpoint", "model": "start", "folder": "model"}})",
                              (folder / out).string()),
                   {.existing = graph::Existing::refuse,
                    .reporter = &recorder,
                    .stop_signal = &recorder.stop_signal});
  std::string said;
  for (const std::string& line : recorder.said) said += line + "\n";
  return said;
}

std::string quoted(const fs::path& path) { return "\"" + path.string() + "\""; }

}  // namespace

TEST_CASE("a model node takes another vocabulary and draws the head that goes with it") {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path();
  flowqat::testing::write_small_config(folder / "config");
  std::string said = saved_by("\"config\": " + quoted(folder / "config"), folder, "first");
  CHECK_THAT(said, ContainsSubstring("no vocab.json, so its tokens are wav2vec2-base-960h's"));

  fs::create_directory(folder / "words");
  std::ofstream(folder / "words" / "vocab.json")
      << R"({"a": 0, "b": 1, "|": 2, "<unk>": 3, "<pad>": 4, "<s>": 5, "</s>": 6})";
  const std::string path = "\"path\": " + quoted(folder / "first" / "model");
  const std::string vocabulary = ", \"vocabulary\": " + quoted(folder / "words");
  said = saved_by(path + vocabulary, folder, "second");
  CHECK_THAT(said, ContainsSubstring("start: ") &&
                       ContainsSubstring("for 32 tokens: drew a new one for 7 tokens"));
  const nlohmann::json config = io::read_json(folder / "second" / "model" / "config.json");
  CHECK(config.at("vocab_size") == 7);
  CHECK(config.at("pad_token_id") == 4);
  CHECK(config.at("hidden_size") == 32);
  CHECK(io::read_json(folder / "second" / "model" / "vocab.json").at("b") == 1);

  // The same vocabulary again: nothing is drawn.
  said = saved_by("\"path\": " + quoted(folder / "second" / "model") + vocabulary, folder, "third");
  CHECK(said.find("drew") == std::string::npos);
  // Fresh weights take it too.
  said = saved_by("\"config\": " + quoted(folder / "config") + vocabulary, folder, "fourth");
  CHECK(io::read_json(folder / "fourth" / "model" / "config.json").at("vocab_size") == 7);

  CHECK_THROWS_WITH(saved_by(path + ", \"vocabulary\": \"/no/such\"", folder, "fifth"),
                    ContainsSubstring("node \"start\", key \"vocabulary\": /no/such"));
}

TEST_CASE("a vocabulary smaller than the head's is refused with what to do") {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path();
  flowqat::testing::write_small_config(folder / "config");
  std::ofstream(folder / "config" / "vocab.json") << R"({"<pad>": 0, "<unk>": 1, "|": 2, "a": 3})";
  CHECK_THROWS_WITH(saved_by("\"config\": " + quoted(folder / "config"), folder, "out"),
                    ContainsSubstring("key \"config\"") && ContainsSubstring("vocab_size 32") &&
                        ContainsSubstring("key \"vocabulary\""));
}

TEST_CASE("a field of config.json that nothing reads is told") {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path();
  flowqat::testing::write_small_config(folder / "config");
  nlohmann::json config = io::read_json(folder / "config" / "config.json");
  config["layer_drop"] = 0.5;
  std::ofstream(folder / "config" / "config.json") << config;
  CHECK_THAT(saved_by("\"config\": " + quoted(folder / "config"), folder, "out"),
             ContainsSubstring("config.json: field \"layer_drop\" is none of wav2vec2's"));
}

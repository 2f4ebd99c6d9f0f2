/// The data side end to end: FLAC in LibriSpeech's layout to batches.
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/corpus.h"
#include "tests/nodes/support.h"
#include "tests/temporary_folder.h"

using namespace flowqat;
using flowqat::testing::damage;
using flowqat::testing::make_corpus;
using flowqat::testing::TemporaryFolder;
using nodes::testing::make_graph;
using nodes::testing::Recorder;

namespace {

/// configs/data_only.json over another corpus.
graph::Graph data_only(const std::filesystem::path& corpus, const std::filesystem::path& out,
                       int threads, const std::string& more = "seed=1") {
  graph::Json file = graph::read_graph(FLOWQAT_SOURCE_DIR "/configs/data_only.json");
  graph::override_value(file, "corpus.root=" + corpus.string());
  graph::override_value(file, more);
  file["out"] = out.string();
  file["threads"] = threads;
  return graph::Graph(graph::resolve(file, "data_only.json"));
}

graph::Json run(const graph::Graph& graph, Recorder& recorder,
                graph::Existing existing = graph::Existing::refuse) {
  return graph::run_graph(
      graph, {.existing = existing, .reporter = &recorder, .stop_signal = &recorder.stop_signal});
}

}  // namespace

TEST_CASE("configs/data_only.json hands on the same bits at 1, 2 and 8 threads") {
  const TemporaryFolder temporary;
  make_corpus(temporary.path() / "corpus");
  std::string sha256;
  for (int threads : {1, 2, 8}) {
    Recorder recorder;
    const graph::Json summary = run(
        data_only(temporary.path() / "corpus", temporary.path() / std::to_string(threads), threads),
        recorder);
    if (sha256.empty()) sha256 = summary.at("batches_sha256").get<std::string>();
    CHECK(summary.at("batches_sha256") == sha256);
    CHECK(summary.at("utterances") == graph::Json{{"done", 36}, {"rejected", 0}});
    CHECK_THAT(recorder.results, ContainsSubstring("perturb"));
  }
  Recorder recorder;
  CHECK(
      run(data_only(temporary.path() / "corpus", temporary.path() / "other", 2, "seed=2"), recorder)
          .at("batches_sha256") != sha256);
}

TEST_CASE("a broken file is counted and listed with its reason, and the others are as before") {
  const TemporaryFolder temporary;
  const auto files = make_corpus(temporary.path() / "corpus");
  damage(files[3]);
  std::ofstream(files[7], std::ios::trunc);
  Recorder recorder;
  const graph::Json summary =
      run(data_only(temporary.path() / "corpus", temporary.path() / "out", 2), recorder);
  CHECK(summary.at("utterances") == graph::Json{{"done", 30}, {"rejected", 6}});
  std::ifstream rejected(temporary.path() / "out" / "rejected.jsonl");
  int lines = 0;
  for (std::string text; std::getline(rejected, text); ++lines) {
    const graph::Json line = graph::Json::parse(text);
    const std::string path = line.at("path");
    CHECK((path == files[3].string() || path == files[7].string()));
    CHECK(line.at("node") == "decode");
    CHECK_THAT(line.at("reason").get<std::string>(), ContainsSubstring(path));
  }
  CHECK(lines == 6);
}

TEST_CASE("a run that was stopped can be started over with --resume and gives what it would have") {
  const TemporaryFolder temporary;
  make_corpus(temporary.path() / "corpus");
  Recorder whole, resumed;
  struct : Recorder {
    void say(const std::string& line) override {
      Recorder::say(line);
      if (line.starts_with("batch: ")) stop_signal = 15;  // the run has begun by then
    }
  } stopped;
  const auto sha256 = run(data_only(temporary.path() / "corpus", temporary.path() / "a", 2), whole)
                          .at("batches_sha256");
  const graph::Graph graph = data_only(temporary.path() / "corpus", temporary.path() / "b", 2);
  CHECK_THROWS_AS(run(graph, stopped), graph::Interrupted);
  CHECK_FALSE(std::filesystem::exists(temporary.path() / "b" / "summary.json"));
  CHECK(run(graph, resumed, graph::Existing::resume).at("batches_sha256") == sha256);
}

TEST_CASE("files of several rates need a resample node, and with it meet in one batch") {
  const TemporaryFolder temporary;
  make_corpus(temporary.path() / "corpus", {.split = "a", .speakers = 1, .utterances = 2});
  make_corpus(temporary.path() / "corpus",
              {.split = "b", .speakers = 1, .utterances = 2, .rate_hz = 8000});
  const std::string head = R"({"corpus": {"type": "librispeech", "root": ")" +
                           (temporary.path() / "corpus").string() +
                           R"("}, "decode": {"type": "decode", "from": "corpus"}, )";
  Recorder recorder;
  CHECK_THROWS_WITH(
      run(make_graph(head + R"("batch": {"type": "batch", "from": "decode", "size": 4}})",
                     (temporary.path() / "x").string()),
          recorder),
      ContainsSubstring("put a resample node before it"));
  const graph::Json summary =
      run(make_graph(head + R"("same": {"type": "resample", "from": "decode"},
                                                       "batch": {"type": "batch", "from": "same", "size": 4}})",
                     (temporary.path() / "y").string()),
          recorder);
  CHECK(summary.at("utterances").at("done") == 4);
}

TEST_CASE("a missing root and an empty corpus end with one message that says what and where") {
  const TemporaryFolder temporary;
  Recorder recorder;
  CHECK_THROWS_WITH(run(data_only(temporary.path() / "none", temporary.path() / "x", 2), recorder),
                    ContainsSubstring("node \"corpus\", key \"root\": ") &&
                        ContainsSubstring((temporary.path() / "none").string()));
  std::filesystem::create_directories(temporary.path() / "empty");
  CHECK_THROWS_WITH(run(data_only(temporary.path() / "empty", temporary.path() / "y", 2), recorder),
                    ContainsSubstring((temporary.path() / "empty").string()));
}

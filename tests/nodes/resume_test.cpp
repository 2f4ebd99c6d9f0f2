/// Runs that are resumed after something happened to their folder or their corpus.
#include <nlohmann/json.hpp>

#include "tests/nodes/small_run.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

constexpr auto kResume = graph::Existing::resume;

/// A run that is whole, and one of the same graph that is stopped.
class Runs {
 public:
  Runs() { make_small_inputs(root); }

  graph::Graph graph(const std::string& folder, std::vector<std::string> more = {}) const {
    more.push_back("learn.checkpoint_every_s=1e-9");
    return small_quickstart(root, folder, more);
  }
  void run_whole() {
    Recorder recorder;
    run(graph("whole"), recorder);
  }
  void stop(const std::string& at, graph::Existing existing = graph::Existing::refuse) {
    Recorder recorder;
    recorder.stop_at = at;
    CHECK_THROWS_AS(run(graph("out"), recorder, existing), graph::Interrupted);
  }
  /// What the run says that goes on.
  std::string resume(const std::vector<std::string>& more = {}, bool accepts = false) {
    Recorder recorder;
    graph::run_graph(graph("out", more), {.existing = kResume,
                                          .reporter = &recorder,
                                          .stop_signal = &recorder.stop_signal,
                                          .accept_changes = accepts});
    std::string said;
    for (const std::string& line : recorder.said) said += line + "\n";
    return said;
  }
  void check_same() const { check_same_run(out, root / "whole"); }
  void flip(const fs::path& file) const {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    const auto middle = static_cast<std::streamoff>(fs::file_size(file) / 2);
    REQUIRE(stream.seekg(middle));
    const auto byte = static_cast<char>(stream.get() ^ 1);
    stream.seekp(middle);
    stream.put(byte);
  }

  TemporaryFolder temporary;
  fs::path root = temporary.path(), out = root / "out", states = out / "checkpoints",
           first = root / "corpus" / "train" / "101" / "1" / "101-1-0000.flac";
};

}  // namespace

TEST_CASE("a damaged checkpoint is told, the one before is used, and the weights are the same") {
  Runs runs;
  runs.run_whole();
  runs.stop("learn: 4 of ");
  runs.flip(runs.states / "step-4" / "model.safetensors");
  const std::string said = runs.resume();
  CHECK_THAT(said, ContainsSubstring("step-4/model.safetensors: is not what was written") &&
                       ContainsSubstring("going on from " + (runs.states / "step-3").string()));
  runs.check_same();
}

TEST_CASE("a damaged result of a step is made again, and what a complete run lost as well") {
  Runs runs;
  runs.run_whole();
  runs.stop("wer: ptq: ");
  runs.flip(runs.states / "after-adapt" / "model.safetensors");
  CHECK_THAT(runs.resume(), ContainsSubstring("after-adapt/model.safetensors: is not what was"));
  runs.check_same();
  CHECK_THAT(runs.resume(), ContainsSubstring("this run is complete"));

  runs.flip(runs.out / "int8" / "model.safetensors");
  CHECK_THAT(runs.resume(), ContainsSubstring("int8/model.safetensors: is not what was written") &&
                                ContainsSubstring("the run was complete"));
  runs.check_same();
  fs::remove_all(runs.out / "model");
  CHECK_THAT(runs.resume(), ContainsSubstring("out/model/"));
  runs.check_same();
  fs::remove(runs.out / "summary.json");
  CHECK_THAT(runs.resume(), ContainsSubstring("summary.json: No such file"));
  runs.check_same();
  // One of another run is not this one's.
  fs::remove_all(runs.states / "end");
  fs::remove_all(runs.states / "after-wer");
  graph::write_json(runs.out / "summary.json", {{"evaluations", "better"}});
  CHECK_THAT(runs.resume(), !ContainsSubstring("this run is complete"));
  runs.check_same();
}

TEST_CASE("a corpus that changed is told with what changed, and resumed with only where asked") {
  Runs runs;
  runs.stop("learn: 5 of ");
  const std::string transcripts =
      (runs.root / "corpus" / "train" / "101" / "1" / "101-1.trans.txt").string();
  SECTION("an utterance is gone, and the plan is shorter") {
    fs::remove(runs.first);
    CHECK_THROWS_WITH(runs.resume(), ContainsSubstring("\"batch\": ") &&
                                         ContainsSubstring("12 utterances before, ") &&
                                         ContainsSubstring("101-1-0000") &&
                                         ContainsSubstring("--accept-changes"));
  }
  SECTION("a transcript is another") {
    std::string text = bytes(transcripts);
    text.insert(text.find('\n'), " AND MORE");
    std::ofstream(transcripts) << text;
    CHECK_THROWS_WITH(runs.resume(), ContainsSubstring("with another transcript: 101-1-0000"));
  }
  CHECK_THAT(runs.resume({}, true), ContainsSubstring("going on with it as it is"));
  CHECK(fs::exists(runs.out / "int8" / "model.safetensors"));
  CHECK_THAT(runs.resume(), ContainsSubstring("this run is complete"));
}

TEST_CASE("a corpus that moved, another cadence and other threads change nothing") {
  Runs runs;
  runs.run_whole();
  runs.stop("learn: 5 of ");
  fs::rename(runs.root / "corpus", runs.root / "moved");
  fs::rename(runs.root / "config", runs.root / "start");
  const std::string moved = (runs.root / "moved").string();
  runs.resume({"corpus.root=" + moved, "dev_corpus.root=" + moved,
               "start.config=" + (runs.root / "start").string(), "threads=1",
               "adapt.checkpoint_every_s=1e-9", "adapt.keep_checkpoints=5", "max_rejected=3"});
  runs.check_same();
}

TEST_CASE("a configuration or weights that changed are told") {
  Runs runs;
  runs.stop("learn: 5 of ");
  graph::Json config = graph::read_json(runs.root / "config" / "config.json");
  config["hidden_dropout"] = 0.25;
  graph::write_json(runs.root / "config" / "config.json", config);
  CHECK_THROWS_WITH(runs.resume(), ContainsSubstring("\"start\": the files in ") &&
                                       ContainsSubstring("others than before"));
}

/// Steps of several batches, and steps that come to nothing.
#include <nlohmann/json.hpp>

#include "nodes/training/useless_utterances.h"
#include "tests/nodes/small_run.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

const std::vector<std::string> kRounds = {"learn.batches_per_step=2", "adapt.batches_per_step=2",
                                          "learn.epochs=3"};

/// The lines of one node in metrics.jsonl that have a key.
std::vector<graph::Json> lines_with(const fs::path& out, const std::string& node, const char* key) {
  std::vector<graph::Json> found;
  for (const graph::Json& line : lines_of(out / "metrics.jsonl")) {
    if (line.at("node") == node && line.contains(key)) found.push_back(line);
  }
  return found;
}

/// Gives an utterance of the corpus a transcript that its frames cannot say.
void overfill(const fs::path& corpus) {
  const fs::path file = corpus / "train" / "101" / "1" / "101-1.trans.txt";
  std::string text = bytes(file);
  std::string words;
  for (int i = 0; i < 60; ++i) words += " GREEN";
  text.insert(text.find('\n'), words);
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("steps are rounds of batches, and what an epoch leaves over is a shorter one") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  Recorder single, rounds;
  run(small_quickstart(temporary.path(), "single", {"learn.epochs=3"}), single);
  run(small_quickstart(temporary.path(), "rounds", kRounds), rounds);
  const auto batches = lines_with(temporary.path() / "single", "learn", "gradient_norm");
  const auto steps = lines_with(temporary.path() / "rounds", "learn", "gradient_norm");
  const auto epoch = static_cast<int64_t>(batches.size()) / 3;
  REQUIRE(epoch % 2 != 0);  // else nothing is left over
  CHECK(std::ssize(steps) == 3 * ((epoch + 1) / 2));
  // The rate goes by steps: it ends as low as with a step for every batch.
  CHECK(steps.front().at("learning_rate") == batches.front().at("learning_rate"));
  CHECK(steps.back().at("audio_s") == batches.back().at("audio_s"));
  CHECK(bytes(temporary.path() / "single" / "float" / "model.safetensors") !=
        bytes(temporary.path() / "rounds" / "float" / "model.safetensors"));
}

TEST_CASE("a run that is stopped within a round goes on within it, to the same bits") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  flowqat::testing::damage(temporary.path() / "corpus" / "train" / "101" / "1" / "101-1-0003.flac");
  const fs::path out = temporary.path() / "out";
  // An epoch is one round; the damaged utterance is told in the middle of the first.
  const std::vector<std::string> overrides = {"learn.batches_per_step=100", "learn.epochs=3"};
  Recorder whole, stopped, resumed;
  run(small_quickstart(temporary.path(), "whole", overrides), whole);
  stopped.stop_said = "101-1-0003";
  CHECK_THROWS_AS(run(small_quickstart(temporary.path(), "out", overrides), stopped),
                  graph::Interrupted);
  CHECK_THAT(stopped.said.back(), ContainsSubstring("learn: saved after ") &&
                                      ContainsSubstring(" of step 1 of 3; go on with --resume"));
  CHECK(fs::exists(out / "checkpoints" / "step-1"));
  run(small_quickstart(temporary.path(), "out", overrides), resumed, graph::Existing::resume);
  std::string said;
  for (const std::string& line : resumed.said) said += line + "\n";
  CHECK_THAT(said, ContainsSubstring("learn: going on from " + (out / "checkpoints").string()));
  check_same_run(out, temporary.path() / "whole");
}

TEST_CASE("a target needs a frame for each token, and one between two that are the same") {
  CHECK(nodes::frames_for({}) == 0);
  CHECK(nodes::frames_for({5}) == 1);
  CHECK(nodes::frames_for({5, 6, 5}) == 3);
  CHECK(nodes::frames_for({5, 5, 5, 6, 6}) == 8);
}

TEST_CASE("an utterance that its frames cannot say is listed, and costs only its own round") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  overfill(temporary.path() / "corpus");
  const fs::path out = temporary.path() / "out";
  Recorder recorder;
  const graph::Json summary =
      run(small_quickstart(temporary.path(), "out", {"learn.zero_infinity=false"}), recorder);
  // Twice in "learn", whose steps are skipped for it; four times in "adapt", which counts it as 0.
  CHECK(summary.at("train").at("skipped_steps") == 2);
  const auto skipped = lines_with(out, "learn", "skipped_for");
  REQUIRE(skipped.size() == 2);
  for (const graph::Json& line : skipped) {
    CHECK(line.at("skipped_for") == "loss");
    CHECK(line.at("utterances") == graph::Json{"101-1-0000"});
  }
  CHECK(lines_with(out, "adapt", "skipped_for").empty());
  const auto listed = lines_of(out / "rejected.jsonl");
  REQUIRE(listed.size() == 6);
  for (const graph::Json& line : listed) {
    CHECK(line.at("id") == "101-1-0000");
    CHECK_THAT(line.at("reason").get<std::string>(),
               ContainsSubstring("its transcript needs 427 frames, and its audio has 2"));
  }
  CHECK(summary.at("utterances").at("rejected") == 0);
  std::string said;
  for (const std::string& line : recorder.said) said += line + "\n";
  CHECK_THAT(said, ContainsSubstring("was skipped: the loss of 101-1-0000 is not a finite number"));
  CHECK_THAT(said, ContainsSubstring("learn: 2 steps of "));
  CHECK_THAT(said, ContainsSubstring("adapt: 4 times a transcript was too long for its frames"));
}

TEST_CASE("more skipped steps than allowed end the run behind a checkpoint to go on from") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  overfill(temporary.path() / "corpus");
  const auto graph = [&](const std::string& out, const std::string& most) {
    return small_quickstart(temporary.path(), out,
                            {"learn.zero_infinity=false", "learn.max_skipped_steps=" + most});
  };
  Recorder whole, ended, resumed;
  run(graph("whole", "5"), whole);
  CHECK_THROWS_WITH(run(graph("out", "0"), ended),
                    ContainsSubstring("learn: 1 step of ") &&
                        ContainsSubstring("more than \"max_skipped_steps\" (0)") &&
                        ContainsSubstring("the loss of 101-1-0000 is not a finite number"));
  CHECK_FALSE(fs::is_empty(temporary.path() / "out" / "checkpoints"));
  run(graph("out", "5"), resumed, graph::Existing::resume);
  check_same_run(temporary.path() / "out", temporary.path() / "whole");
}

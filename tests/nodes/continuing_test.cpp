/// Runs that are made longer, and folders that were moved.
#include <nlohmann/json.hpp>

#include "tests/nodes/small_run.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

constexpr auto kResume = graph::Existing::resume;

std::string all_said(const Recorder& recorder) {
  std::string text;
  for (const std::string& line : recorder.said) text += line + "\n";
  return text;
}

size_t steps_of(const fs::path& out, const std::string& node) {
  size_t steps = 0;
  for (const graph::Json& line : lines_of(out / "metrics.jsonl")) {
    steps += line.at("node") == node && line.contains("gradient_norm") ? 1 : 0;
  }
  return steps;
}

}  // namespace

TEST_CASE("a run that is over goes on with more epochs, as a longer one would have come there") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  const auto graph = [&](const std::string& out, const std::string& epochs) {
    return small_quickstart(temporary.path(), out,
                            {"learn.schedule=constant", "learn.epochs=" + epochs});
  };
  Recorder longer, first, again, shorter;
  run(graph("longer", "3"), longer);
  run(graph("out", "2"), first);
  run(graph("out", "3"), again, kResume);
  CHECK_THAT(all_said(again),
             ContainsSubstring("learn: is to go on to another length") &&
                 ContainsSubstring("as one of that length from its beginning would have"));
  check_same_run(temporary.path() / "out", temporary.path() / "longer");

  CHECK_THROWS_WITH(run(graph("out", "1"), shorter, kResume),
                    ContainsSubstring("\"learn\": key \"epochs\" was 3 and is 1") &&
                        ContainsSubstring("longer, but not shorter"));
  Recorder complete;
  run(graph("out", "3"), complete, kResume);
  CHECK_THAT(all_said(complete), ContainsSubstring("this run is complete"));
}

TEST_CASE("a schedule that spans the whole training is told of where that is made longer") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  Recorder first, again;
  run(small_quickstart(temporary.path(), "out", {"adapt.epochs=2"}), first);
  run(small_quickstart(temporary.path(), "out", {"adapt.epochs=3"}), again, kResume);
  CHECK_THAT(all_said(again),
             ContainsSubstring("adapt: goes on to ") && ContainsSubstring("other learning rates"));
  // The step before is not done again.
  for (const std::string& status : again.statuses) CHECK_FALSE(status.starts_with("learn"));
}

TEST_CASE("max_steps ends a training within an epoch, and can be raised") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  const auto graph = [&](const std::string& out, const std::string& most) {
    // Without evaluations: a run that ends early has one more, at that end.
    graph::Json file =
        small_quickstart_file(temporary.path(), out,
                              {"learn.schedule=constant", "learn.epochs=0",
                               "learn.max_steps=" + most, "learn.batches_per_step=2"});
    for (const char* key : {"dev", "evaluate_every_epochs"}) file["nodes"]["learn"].erase(key);
    return graph::Graph(graph::resolve(file, "quickstart.json"));
  };
  Recorder longer, first, again;
  run(graph("longer", "5"), longer);
  CHECK(steps_of(temporary.path() / "longer", "learn") == 5);
  run(graph("out", "2"), first);
  CHECK(steps_of(temporary.path() / "out", "learn") == 2);
  run(graph("out", "5"), again, kResume);
  check_same_run(temporary.path() / "out", temporary.path() / "longer");
}

TEST_CASE("whichever of epochs and max_steps comes first ends a training") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  Recorder recorder;
  run(small_quickstart(temporary.path(), "out",
                       {"learn.epochs=1", "learn.max_steps=1000", "adapt.max_steps=3"}),
      recorder);
  const fs::path out = temporary.path() / "out";
  CHECK(steps_of(out, "learn") < 1000);
  CHECK(steps_of(out, "adapt") == 3);
}

TEST_CASE("the folder of a run that was stopped can be moved") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  Recorder whole, stopped, resumed;
  run(small_quickstart(temporary.path(), "whole"), whole);
  stopped.stop_at = "adapt: 3 of ";
  CHECK_THROWS_AS(run(small_quickstart(temporary.path(), "out"), stopped), graph::Interrupted);
  fs::rename(temporary.path() / "out", temporary.path() / "moved");
  run(small_quickstart(temporary.path(), "moved"), resumed, kResume);
  check_same_run(temporary.path() / "moved", temporary.path() / "whole");
}

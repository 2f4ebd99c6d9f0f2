#include <algorithm>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/corpus.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::Outcome;
using flowqat::testing::TemporaryFolder;

namespace {

/// The least of several calls, more of them on a busy machine: what the program needs, not what
/// else the machine does.
double least_cpu_s(const std::string& arguments) {
  double best = 1e9;
  for (int i = 0; i < 20 && (i < 3 || best > 0.05); ++i) {
    best = std::min(best, call(arguments).cpu_s);
  }
  return best;
}

void check_one_message(const Outcome& outcome, int status) {
  CHECK(outcome.status == status);
  CHECK(outcome.out.empty());
  CHECK_THAT(outcome.err, Catch::Matchers::StartsWith("flowqat: "));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
}

}  // namespace

TEST_CASE("flowqat nodes lists every type, and one type with its parameters") {
  const Outcome all = call("nodes");
  CHECK(all.status == 0);
  for (const char* type :
       {"librispeech", "decode", "resample", "speed_perturb", "normalize", "spec_augment", "batch",
        "model", "train", "calibrate", "convert", "evaluate", "checkpoint"}) {
    CHECK_THAT(all.out, ContainsSubstring(type));
  }
  const Outcome one = call("nodes speed_perturb");
  CHECK(one.status == 0);
  CHECK_THAT(one.out,
             ContainsSubstring("factors") && ContainsSubstring("a list of numbers from 0.25 to 4"));
  const Outcome none = call("nodes trian");
  check_one_message(none, 2);
  CHECK_THAT(none.err, ContainsSubstring("did you mean \"train\"?"));
}

TEST_CASE("flowqat nodes and a refused graph answer at once, without LibTorch") {
  for (const std::string arguments :
       {"nodes", "--graph configs/quickstart.json --set learn.epcohs=3"}) {
    INFO(arguments);
    CHECK(least_cpu_s(arguments) < 0.2);  // LibTorch's libraries alone take twice as long to load
    const std::string traced = FLOWQAT_SOURCE_DIR "' && export LD_DEBUG='files";
    const std::string loaded = call(arguments, traced).err;
    CHECK_THAT(loaded, ContainsSubstring("libavformat"));
    CHECK_THAT(loaded, !ContainsSubstring("libtorch"));
  }
}

TEST_CASE("flowqat dot draws every node and edge, and validate says what is wrong") {
  const Outcome drawn = call("dot --graph configs/full.json");
  CHECK(drawn.status == 0);
  CHECK_THAT(drawn.out, Catch::Matchers::StartsWith("digraph ") &&
                            ContainsSubstring("\"corpus\" -> \"decode\"") &&
                            ContainsSubstring("\"start\" [label="));
  const TemporaryFolder temporary;
  flowqat::testing::make_corpus(temporary.path(), {.speakers = 1, .utterances = 1});
  const Outcome valid = call("validate --graph configs/data_only.json --set corpus.root=" +
                             temporary.path().string());
  CHECK(valid.status == 0);
  CHECK_THAT(valid.out, ContainsSubstring("configs/data_only.json: valid"));
  check_one_message(call("validate --graph configs/data_only.json --set batch.size=-1"), 2);
  const Outcome ranks = call("validate --graph configs/quickstart.json --set world_size=2");
  check_one_message(ranks, 2);
  CHECK_THAT(ranks.err, ContainsSubstring("is told by who starts them"));
}

TEST_CASE("bad usage and bad graphs end with status 2 and one message") {
  check_one_message(call(""), 2);
  check_one_message(call("--graph none.json"), 2);
  const Outcome key = call("--graph configs/quickstart.json --set learn.epcohs=3");
  check_one_message(key, 2);
  CHECK_THAT(key.err,
             ContainsSubstring(
                 "configs/quickstart.json: node \"learn\": key \"epcohs\": unknown key; did you "
                 "mean \"epochs\"?"));
  check_one_message(call("--graph configs/quickstart.json --set lern.epochs=3"), 2);
  check_one_message(call("--graph configs/quickstart.json --set learn.type=teach"), 2);
  check_one_message(call("--graph configs/quickstart.json --set learn.model=int8"),
                    2);  // a cycle
}

TEST_CASE("a level of instructions that is none is an error, whatever is asked for") {
  const std::string held = FLOWQAT_SOURCE_DIR "' && export FLOWQAT_TARGET='";
  const Outcome none = call("nodes", held + "avx9");
  check_one_message(none, 1);
  CHECK_THAT(none.err, ContainsSubstring("FLOWQAT_TARGET: expected scalar, avx2, "));
  CHECK_THAT(none.err, ContainsSubstring(" or neon_i8mm, found \"avx9\""));
  CHECK(call("nodes", held + "scalar").status == 0);
}

TEST_CASE("a run that cannot start ends with one message that names the place") {
  const TemporaryFolder temporary;
  const std::string out = " --out " + (temporary.path() / "out").string();
  const Outcome root =
      call("--graph configs/data_only.json --set corpus.root=/no/such/folder" + out);
  check_one_message(root, 2);
  CHECK_THAT(root.err, ContainsSubstring("/no/such/folder"));
  const Outcome model = call("--graph configs/full.json --set start.path=/no/such/model" + out);
  check_one_message(model, 2);
  CHECK_THAT(model.err, ContainsSubstring("node \"start\", key \"path\": /no/such/model"));
  check_one_message(call("--graph configs/data_only.json --out /proc/flowqat"), 3);
}

TEST_CASE("the program runs from any folder, and says where it wrote") {
  const TemporaryFolder temporary;
  flowqat::testing::make_corpus(temporary.path() / "corpus", {.speakers = 1, .utterances = 2});
  const Outcome run = call("--graph '" FLOWQAT_SOURCE_DIR
                           "/configs/data_only.json' --set corpus.root=corpus --out here",
                           temporary.path().string());
  CHECK(run.status == 0);
  CHECK_THAT(run.err, ContainsSubstring("written to here"));
  CHECK(std::filesystem::exists(temporary.path() / "here" / "summary.json"));
  const Outcome again = call("--graph '" FLOWQAT_SOURCE_DIR
                             "/configs/data_only.json' --set corpus.root=corpus --out here",
                             temporary.path().string());
  check_one_message(again, 2);
  CHECK_THAT(again.err, ContainsSubstring("--overwrite"));
}

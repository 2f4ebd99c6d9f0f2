/// `flowqat validate`: what it saw, what it cannot know, and all mistakes at once.
#include <algorithm>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/corpus.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::Outcome;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

TEST_CASE("validate lists what it saw and leaves nothing behind") {
  const TemporaryFolder temporary;
  const fs::path root = temporary.path();
  flowqat::testing::make_corpus(root / "corpus", {.split = "train-demo"});
  flowqat::testing::make_corpus(root / "corpus", {.split = "dev-demo", .speakers = 1});
  const std::string graph =
      "validate --graph configs/quickstart.json --set corpus.root=" + (root / "corpus").string() +
      " --set dev_corpus.root=" + (root / "corpus").string() +
      " --set out=" + (root / "runs" / "here").string();
  const Outcome valid = call(graph);
  INFO(valid.err);
  CHECK(valid.status == 0);
  CHECK_THAT(valid.out,
             ContainsSubstring("configs/quickstart.json: valid, ") &&
                 ContainsSubstring("\nbatch: 12 utterances of corpus, 9 s of audio an epoch at "
                                   "16000 Hz\n") &&
                 ContainsSubstring("\ndev_batch: 6 utterances of dev_corpus, ") &&
                 ContainsSubstring("\nstart: fresh weights for configs/tiny-wav2vec2, ") &&
                 ContainsSubstring("/runs/here can be written\n"));
  CHECK_FALSE(fs::exists(root / "runs"));

  const Outcome wrong = call(graph +
                             " --set corpus.root=/no/such/corpus --set save.folder=float "
                             "--set 'dev_corpus.splits=[\"test\"]'");
  CHECK(wrong.status == 2);
  CHECK(wrong.out.empty());
  CHECK_THAT(wrong.err,
             Catch::Matchers::StartsWith("flowqat: configs/quickstart.json: 3 mistakes:\n") &&
                 ContainsSubstring("node \"corpus\", key \"root\": /no/such/corpus") &&
                 ContainsSubstring("no split \"test\"; there are: ") &&
                 ContainsSubstring("is what node \"keep\" writes"));

  const std::string bf16 = " --set start.precision=bf16";
  CHECK(call(graph + bf16 + " --set start.device=cuda").status == 0);
  ::setenv("FLOWQAT_TARGET", "avx2", 1);
  CHECK_THAT(call(graph + bf16).err,
             ContainsSubstring("bf16 needs a GPU, or a processor with AVX-512 BF16"));
  ::unsetenv("FLOWQAT_TARGET");

  fs::create_directories(root / "runs" / "here");
  std::ofstream(root / "runs" / "here" / "graph.json") << "{}";
  CHECK_THAT(call(graph).out, ContainsSubstring("but holds a run: --resume goes on with it"));
  // So does a run, before it touches its folder.
  const Outcome refused = call(
      "--graph configs/quickstart.json --overwrite --set "
      "corpus.root=/no/such/corpus --set dev_corpus.root=" +
      (root / "corpus").string() + " --out " + (root / "runs" / "here").string());
  CHECK(refused.status == 2);
  CHECK_THAT(refused.err, ContainsSubstring("node \"corpus\", key \"root\": /no/such/corpus"));
  CHECK(fs::file_size(root / "runs" / "here" / "graph.json") == 2);
}

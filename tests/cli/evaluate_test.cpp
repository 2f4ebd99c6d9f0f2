/// What `flowqat evaluate` and `sensitivity` refuse of a corpus before anything is heard.
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/corpus.h"
#include "tests/small_model.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::Outcome;
using flowqat::testing::TemporaryFolder;
using nlohmann::json;
namespace fs = std::filesystem;

TEST_CASE("a corpus without texts is refused before the model is loaded, with what is there") {
  const TemporaryFolder temporary;
  const fs::path root = temporary.path();
  const auto files = flowqat::testing::make_corpus(root / "audio");
  // Without weights: whoever gets as far as loading them ends otherwise.
  const std::string model = flowqat::testing::write_small_config(root / "model").string();
  const auto told = [&](const std::string& corpus) {
    const Outcome outcome = call("evaluate " + model + " --manifest " + corpus);
    CHECK(outcome.status == 2);
    CHECK(outcome.out.empty());
    return outcome.err;
  };
  const std::string manifest = (root / "m.jsonl").string();
  const auto write = [&](const json& more) {
    std::ofstream lines(manifest);
    for (const fs::path& file : files) {
      json line{{"audio_filepath", file.string()}};
      line.update(more);
      lines << line << "\n";
    }
  };
  for (const json& more : {json{{"sentence", "said"}}, json{{"text", nullptr}, {"sentence", "x"}},
                           json{{"text", " "}, {"sentence", "x"}}}) {
    write(more);
    INFO(more);
    CHECK_THAT(told(manifest), ContainsSubstring("holds no transcript to compare with; expected "
                                                 "the text under \"text\"; ") &&
                                   ContainsSubstring("has the keys \"audio_filepath, sentence"));
  }
  write({{"text", "...!"}});
  CHECK_THAT(told(manifest), ContainsSubstring("normalization leaves nothing of any, the first is "
                                               "that of " +
                                               files[0].string()));
  fs::create_directories(root / "flat");
  fs::copy(files[0], root / "flat");
  CHECK_THAT(told((root / "flat").string()),
             ContainsSubstring("expected a text beside each recording in "));
  std::ofstream(root / "t.tsv") << "path\tlabel\n" << files[0].string() << "\tx\n";
  CHECK_THAT(told((root / "t.tsv").string()), ContainsSubstring("has the columns \"path, label\""));
}

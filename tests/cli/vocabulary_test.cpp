/// The vocabulary of a corpus, as the program makes it.
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/corpus.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::Outcome;
using flowqat::testing::TemporaryFolder;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// A table of two recordings with these texts.
std::string table(const fs::path& folder, const std::string& first, const std::string& second) {
  const auto files = flowqat::testing::make_corpus(folder / "audio");
  std::ofstream(folder / "t.tsv") << "path\tsentence\n"
                                  << files[0].string() << "\t" << first << "\n"
                                  << files[1].string() << "\t" << second << "\n";
  return (folder / "t.tsv").string();
}

json read(const fs::path& path) { return json::parse(std::ifstream(path)); }

}  // namespace

TEST_CASE("a vocabulary goes to a folder, to a file or to standard output") {
  const TemporaryFolder temporary;
  const std::string corpus = table(temporary.path(), "Ja, ich!", "Öl 5 % [NOISE]");
  const Outcome printed = call("vocabulary " + corpus);
  CHECK(printed.status == 0);
  const json vocabulary = json::parse(printed.out);
  CHECK(vocabulary == json{{"<pad>", 0},
                           {"<s>", 1},
                           {"</s>", 2},
                           {"<unk>", 3},
                           {"|", 4},
                           {"5", 5},
                           {"a", 6},
                           {"c", 7},
                           {"h", 8},
                           {"i", 9},
                           {"j", 10},
                           {"l", 11},
                           {"ö", 12}});
  CHECK_THAT(printed.err, ContainsSubstring("8 characters of 2 transcripts: ") &&
                              ContainsSubstring("left out: % (once); write signs out") &&
                              ContainsSubstring("tags in brackets, left out: [NOISE] (once)"));
  const std::string folder = (temporary.path() / "made").string(),
                    file = (temporary.path() / "mine.json").string();
  REQUIRE(call("vocabulary " + corpus + " --out " + folder).status == 0);
  CHECK(read(folder + "/vocab.json") == vocabulary);
  CHECK(read(folder + "/tokenizer_config.json").at("pad_token") == "<pad>");
  REQUIRE(call("vocabulary " + corpus + " --out " + file + " --case upper --keep %").status == 0);
  CHECK(read(file).contains("Ö"));
  CHECK(read(file).contains("%"));
  for (const std::string& out : {folder, file}) {
    CHECK(call("vocabulary " + corpus + " --out " + out).status == 2);
    CHECK(call("vocabulary " + corpus + " --overwrite --out " + out).status == 0);
  }
}

TEST_CASE("a corpus without transcripts has no vocabulary, and what is there is told") {
  const TemporaryFolder temporary;
  const std::string corpus = table(temporary.path(), "", "");
  const Outcome refused = call("vocabulary " + corpus);
  CHECK(refused.status == 2);
  CHECK(refused.out.empty());
  CHECK_THAT(refused.err, ContainsSubstring("holds no transcript to take characters from; expected "
                                            "the texts in a column named sentence, text"));
  CHECK(call("vocabulary /no/such").status == 2);
  CHECK(call("vocabulary " + corpus + " --case title").status == 2);
}

TEST_CASE("what files hold never reaches a terminal as it is") {
  const TemporaryFolder temporary;
  const fs::path root = temporary.path();
  const auto files = flowqat::testing::make_corpus(root / "audio");
  const std::string evil =
      "\x1b]0;title\x07\x1b[31m\xc2\x9b"
      "2Jred\x7f";
  fs::create_directories(root / "flat");
  fs::copy(files[0], root / "flat" / (evil + ".flac"));
  std::ofstream(root / "flat" / (evil + ".txt")) << "ONE " << evil;
  std::ofstream(root / "flat" / (evil + " broken.flac")) << "fLaC";
  std::ofstream(root / "flat" / (evil + " broken.txt")) << evil;
  const json line{{"audio_filepath", files[0].string()}, {"text", evil}, {evil, evil}};
  const json lost{{"audio_filepath", evil + ".flac"}, {"text", evil}, {"speaker", evil}};
  std::ofstream(root / "m.jsonl") << line << "\n" << lost << "\n{" << evil << "\n";
  std::ofstream(root / "none.jsonl") << json{{"audio_filepath", files[0].string()}, {evil, evil}};
  std::ofstream(root / "no.jsonl") << "{\"" << evil << "\": 1}\n";
  const std::string flat = (root / "flat").string(), lines = (root / "m.jsonl").string();
  for (const std::string& command :
       {"inspect " + flat, "inspect --json " + flat, "inspect " + lines, "inspect --json " + lines,
        "inspect " + (root / "no.jsonl").string(), "vocabulary " + flat, "vocabulary " + lines,
        "vocabulary " + (root / "none.jsonl").string(), "inspect '" + flat + "/" + evil + ".flac'",
        "profile '" + evil + "'", "run '" + evil + "'"}) {
    const Outcome outcome = call(command);
    INFO(command);
    for (const std::string& text : {outcome.out, outcome.err}) {
      CHECK(text.find_first_of("\x1b\x07\x7f\r") == text.npos);
      CHECK(text.find("\xc2\x9b") == text.npos);
    }
  }
}

/// `flowqat evaluate A --against B`, of files of what was heard.
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/cli/program.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::Outcome;
using flowqat::testing::TemporaryFolder;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

struct Line {
  std::string id, said, heard;
};

std::string write(const fs::path& file, const std::vector<Line>& lines) {
  std::ofstream out(file);
  for (const Line& line : lines) {
    out << json{{"id", line.id}, {"reference", line.said}, {"hypothesis", line.heard}} << "\n";
  }
  return file.string();
}

const std::vector<Line> before{{"u1", "TAKE THE GREEN WINDOW", "TAKE THE GREEN WIDOW"},
                               {"u2", "ONE TWO THREE FOUR", "ONE TWO THREE FOUR"},
                               {"u3", "GO HOME", "GO HOME"},
                               {"u4", "A B", "A C"},
                               {"old", "GONE", "GONE"}};
const std::vector<Line> after{{"u3", "GO HOME", "GO HOME"},
                              {"u1", "TAKE THE GREEN WINDOW", "TAKE THE GREEN WINDOW"},
                              {"u2", "ONE TWO THREE FOUR", "ONE TOO TREE FOUR"},
                              {"u4", "A B", "A D"}};

}  // namespace

TEST_CASE("two files of what was heard are compared by the utterances that both have") {
  const TemporaryFolder temporary;
  const std::string old = write(temporary.path() / "old.jsonl", before),
                    now = write(temporary.path() / "now.jsonl", after),
                    changed = (temporary.path() / "changed.jsonl").string();
  const Outcome outcome =
      call("evaluate " + now + " --against " + old + " --json --out " + changed);
  REQUIRE(outcome.status == 0);
  const json result = json::parse(outcome.out);
  CHECK(result.at("of_model").at("wer") == 0.25);  // 3 of 12 words
  CHECK(result.at("of_model").at("utterances") == 4);
  CHECK(result.at("of_against").at("wer").get<double>() == Approx(2.0 / 12));
  const json& wer = result.at("differences").at("wer");
  CHECK(wer.at("difference").get<double>() == Approx(1.0 / 12));
  CHECK(wer.at("low").get<double>() < 0);
  CHECK(wer.at("high").get<double>() > wer.at("difference").get<double>());
  CHECK(wer.at("noise") == true);
  CHECK(wer.at("resamples") == 10000);
  CHECK(result.at("better") == 1);
  CHECK(result.at("worse") == 1);
  CHECK(result.at("left_out_of_model") == 0);
  CHECK(result.at("left_out_of_against") == 1);
  REQUIRE(result.at("changed").size() == 3);  // the worst first
  CHECK(result.at("changed")[0].at("id") == "u2");
  CHECK(result.at("changed")[0].at("errors") == 2);
  CHECK(result.at("changed")[0].at("against_errors") == 0);
  CHECK(result.at("changed")[0].at("against_hypothesis") == "ONE TWO THREE FOUR");
  CHECK(result.at("changed")[1].at("id") == "u4");
  CHECK(result.at("changed")[2].at("id") == "u1");
  std::ifstream list(changed);
  json written = json::array();
  for (std::string line; std::getline(list, line);) written.push_back(json::parse(line));
  CHECK(written == result.at("changed"));

  const Outcome text = call("evaluate " + now + " --against " + old);
  CHECK(text.status == 0);
  CHECK_THAT(text.out, ContainsSubstring("WER  +8.33 (") && ContainsSubstring(") noise\n") &&
                           ContainsSubstring("do not tell which is better") &&
                           ContainsSubstring("1 utterance left out, for " + old + " alone") &&
                           ContainsSubstring("3 utterances of 4 heard in other words: 1 better, 1 "
                                             "worse, 1 with as many errors\n") &&
                           ContainsSubstring("\nworse\nu2: 2 errors, against 0\n  said     ONE TWO "
                                             "THREE FOUR\n  heard    ONE TOO TREE FOUR\n  against  "
                                             "ONE TWO THREE FOUR\n\nbetter\nu1: 0 errors"));
  const Outcome same = call("evaluate " + now + " --against " + now);
  CHECK_THAT(same.out, ContainsSubstring("WER  +0.00 (+0.00 to +0.00) noise") &&
                           ContainsSubstring("0 utterances of 4 heard in other words"));
}

TEST_CASE("a clear difference is called better or worse, and repeated ids are paired in order") {
  const TemporaryFolder temporary;
  std::vector<Line> good, bad;
  for (int i = 0; i < 40; ++i) {
    good.push_back({"u", "ONE TWO", i % 2 == 0 ? "ONE TWO" : "ONE"});
    bad.push_back({"u", "ONE TWO", i % 2 == 0 ? "ONE" : ""});
  }
  const std::string a = write(temporary.path() / "a", good), b = write(temporary.path() / "b", bad);
  CHECK_THAT(call("evaluate " + a + " --against " + b).out,
             ContainsSubstring("WER  -50.00 (-50.00 to -50.00) better") &&
                 ContainsSubstring("\nand 30 more; --json and --out have them all\n"));
  CHECK_THAT(call("evaluate " + b + " --against " + a).out, ContainsSubstring(") worse\n"));
}

TEST_CASE("files that say nothing of what was heard are refused with the line") {
  const TemporaryFolder temporary;
  const std::string good = write(temporary.path() / "good.jsonl", before),
                    other = write(temporary.path() / "other.jsonl", {{"x", "A", "A"}}),
                    silent = write(temporary.path() / "silent.jsonl", {{"u1", "", "A"}}),
                    file = (temporary.path() / "bad.jsonl").string();
  const auto told = [&](const std::string& arguments, int status = 1) {
    const Outcome outcome = call("evaluate " + arguments);
    INFO(arguments);
    CHECK(outcome.status == status);
    CHECK(outcome.out.empty());
    return outcome.err;
  };
  const auto told_of = [&](const std::string& content) {
    std::ofstream(file) << content;
    return told(good + " --against " + file);
  };
  CHECK_THAT(told_of("{\"id\": \"u1\", \"reference\": \"A\", \"hypothesis\": \"A\"}\nTAKE THE\n"),
             ContainsSubstring("bad.jsonl, line 2: expected a JSON object"));
  CHECK_THAT(told_of("{\"id\": \"u1\", \"reference\": \"A\"}\n"),
             ContainsSubstring("line 1: expected \"id\", \"reference\" and \"hypothesis\"") &&
                 ContainsSubstring("found none under \"hypothesis\""));
  CHECK_THAT(told_of("{\"id\": \"u1\", \"reference\": \"A\", \"hypothesis\": \"\xff\"}\n"),
             ContainsSubstring("line 1"));
  CHECK_THAT(told_of(R"({"id": "u1", "reference": "A", "hypothesis": "", "duration_s": -1})"),
             ContainsSubstring("\"duration_s\" must be 0 or above"));
  CHECK_THAT(told_of(""), ContainsSubstring("bad.jsonl"));
  CHECK_THAT(told(good + " --against " + other),
             ContainsSubstring("have no utterance in common: the ids must be the same"));
  CHECK_THAT(told(silent + " --against " + good), ContainsSubstring("holds no transcript"));
  CHECK_THAT(told(good, 2), ContainsSubstring("--manifest is missing"));
  CHECK_THAT(told(good + " --manifest data/demo", 2), ContainsSubstring("by --against"));
  CHECK_THAT(told(good + " --against " + other + " --manifest data/demo", 2),
             ContainsSubstring("nothing to hear"));
  CHECK_THAT(told(good + " --against /no/such/model --manifest data/demo", 2),
             ContainsSubstring("/no/such/model: no such folder"));
}

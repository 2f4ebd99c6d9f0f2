/// What a corpus holds and what troubles training, told from its index alone.
#include <nlohmann/json.hpp>
#include <numeric>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/corpus.h"
#include "tests/small_model.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::Outcome;
using flowqat::testing::TemporaryFolder;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

json inspected(const std::string& arguments) {
  const Outcome outcome = call("inspect --json " + arguments);
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  CHECK(outcome.out.find('\n') == outcome.out.size() - 1);
  return json::parse(outcome.out);
}

int64_t total(const json& histogram) {
  const auto counts = histogram.at("counts").get<std::vector<int64_t>>();
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

std::vector<std::string> ids(const json& corpus, const char* finding) {
  std::vector<std::string> result;
  for (const json& one : corpus.at("findings").at(finding).at("worst")) {
    result.push_back(one.at("id"));
  }
  CHECK(std::ssize(result) == corpus.at("findings").at(finding).at("count"));
  return result;
}

/// A NeMo manifest over twelve recordings of 0.5 to 1.0 s, with the texts given and no others.
class TroubledCorpus {
 public:
  TroubledCorpus() : files_(flowqat::testing::make_corpus(folder_.path() / "audio")) {}

  /// Recording N is 0.5 s + 0.1 s * (N % 6) long, 24 frames and 4 or 5 more for each 0.1 s.
  void add(int recording, const std::string& text) {
    std::ofstream(path(), std::ios::app)
        << json{{"audio_filepath", files_[static_cast<size_t>(recording)].string()},
                {"duration", 0.5 + 0.1 * (recording % 6)},
                {"text", text}}
        << "\n";
  }
  void add_missing() {
    std::ofstream(path(), std::ios::app)
        << R"({"audio_filepath": "/no/such.flac", "duration": 1, "text": "A"})"
        << "\n";
  }
  std::string path() const { return (folder_.path() / "m.jsonl").string(); }
  std::string file(size_t at) const { return files_[at].string(); }
  std::string at(const char* name) const { return (folder_.path() / name).string(); }

 private:
  TemporaryFolder folder_;
  std::vector<fs::path> files_;
};

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("inspect tells what a corpus holds, as text, as JSON and as a page") {
  const TemporaryFolder temporary;
  const fs::path corpus = temporary.path() / "corpus";
  flowqat::testing::make_corpus(corpus);
  flowqat::testing::make_corpus(corpus,
                                {.split = "dev", .speakers = 1, .utterances = 2, .rate_hz = 8000});
  const std::string page = (temporary.path() / "page.html").string();
  const json all = inspected(corpus.string() + " --html " + page);
  CHECK(all.at("utterances") == 14);
  CHECK(all.at("audio_s").get<double>() == Approx(2 * 4.5 + 1.1));
  CHECK(all.at("groups").at("train").at("utterances") == 12);
  CHECK(all.at("groups").at("dev").at("audio_s").get<double>() == Approx(1.1));
  CHECK(all.at("rates_hz").at("8000").at("utterances") == 2);
  CHECK(all.at("channels").at("1").at("utterances") == 14);
  CHECK(all.at("speakers").size() == 2);
  CHECK(all.at("speakers").at("102").at("audio_s").get<double>() == Approx(4.5));
  CHECK(all.at("minutes_per_speaker").at("max").get<double>() == Approx(5.6 / 60));
  const json& durations = all.at("durations_s");
  CHECK(durations.at("min").get<double>() == Approx(0.5));
  CHECK(durations.at("max").get<double>() == Approx(1.0));
  CHECK(durations.at("median").get<double>() == Approx(0.7));
  CHECK(total(durations.at("histogram")) == 14);
  CHECK(total(all.at("characters_per_s").at("histogram")) == 14);
  CHECK(all.at("transcripts").at("normalized").at("utterances") == 14);
  CHECK(all.at("transcripts").at("as_written").at("out_of_vocabulary").empty());
  for (const auto& [name, finding] : all.at("findings").items()) {
    INFO(name);
    CHECK(finding.at("count") == 0);
  }
  CHECK(inspected(corpus.string() + " --split dev").at("utterances") == 2);

  const Outcome text = call("inspect " + corpus.string());
  CHECK(text.status == 0);
  CHECK_THAT(text.out, ContainsSubstring("utterances       14\n") &&
                           ContainsSubstring("16000 Hz (12)") && ContainsSubstring("#####") &&
                           ContainsSubstring("every character of the transcripts is in"));
  std::ifstream stream(page);
  const std::string html{std::istreambuf_iterator<char>(stream), {}};
  CHECK_THAT(html, ContainsSubstring("<h2>Durations</h2>") &&
                       ContainsSubstring("<h2>Characters a second</h2>") &&
                       ContainsSubstring("<h2>Minutes a speaker</h2>") &&
                       ContainsSubstring("<rect") && ContainsSubstring("utterances</title>") &&
                       !ContainsSubstring("http:") && !ContainsSubstring("https:") &&
                       !ContainsSubstring("<script"));
}

TEST_CASE("utterances are found that CTC cannot align, are too long, empty or broken") {
  TroubledCorpus corpus;
  corpus.add(0, repeated("AB", 12));        // 24 labels for 24 frames
  corpus.add(1, repeated("AB", 14) + "A");  // 29 for 29
  corpus.add(6, repeated("AABB", 4));       // 16 labels and 8 repetitions: 24
  corpus.add(7, repeated("AB", 15));        // 30 for 29
  corpus.add_missing();
  corpus.add(2, "");
  corpus.add(3, " ... ");
  corpus.add(4, "two TWO");
  corpus.add(5, "TWO, two!");
  const json found = inspected(corpus.path() + " --max-duration-s 0.85");
  CHECK(found.at("utterances") == 8);
  CHECK(ids(found, "too_much_text") == std::vector<std::string>{corpus.file(7)});
  CHECK_THAT(found.at("findings").at("too_much_text").at("worst").at(0).at("why").dump(),
             ContainsSubstring("30 labels need 30 frames, the audio has 29"));
  CHECK(ids(found, "too_long") == std::vector<std::string>{corpus.file(5), corpus.file(4)});
  CHECK(ids(found, "without_text") == std::vector<std::string>{corpus.file(2), corpus.file(3)});
  CHECK(ids(found, "broken") == std::vector<std::string>{"/no/such.flac"});
  CHECK(ids(found, "shorter_than_a_frame").empty());
  CHECK(found.at("repeated_transcripts").at("texts") == 1);
  CHECK(found.at("repeated_transcripts").at("utterances") == 2);
  CHECK(found.at("repeated_transcripts").at("most").at(0).at("text") == "TWO TWO");
  CHECK(ids(inspected(corpus.path() + " --max-duration-s 0"), "too_long").empty());
  const Outcome text = call("inspect " + corpus.path());
  CHECK_THAT(text.out, ContainsSubstring("1 utterance with more labels than CTC can align") &&
                           ContainsSubstring("1 utterance cannot be used\n  /no/such.flac: ") &&
                           ContainsSubstring("nothing is left of \" ... \""));
}

TEST_CASE("characters outside a vocabulary are counted as written and after normalization") {
  TroubledCorpus corpus;
  corpus.add(0, "Café 7");
  corpus.add(1, "77 €");
  corpus.add(2, "ÉTÉ");
  const json base = inspected(corpus.path()).at("transcripts");
  CHECK(base.at("normalized").at("out_of_vocabulary").dump() == R"({"7":3,"€":1})");
  CHECK(base.at("as_written").at("out_of_vocabulary").at("É") == 2);
  CHECK(base.at("as_written").at("out_of_vocabulary").at("a") == 1);
  CHECK(base.at("normalized").at("normalized") == 2);
  const Outcome text = call("inspect " + corpus.path());
  CHECK_THAT(text.out,
             ContainsSubstring("not in vocabulary") && ContainsSubstring("É (U+00C9) ") &&
                 ContainsSubstring("2 transcripts hold such characters after normalization, the "
                                   "first is " +
                                   corpus.file(0)));

  // Another vocabulary, other frames (160 samples each), and transcripts as they are.
  const fs::path model = flowqat::testing::write_small_config(corpus.at("model"));
  std::ifstream config_file(model / "config.json");
  json config = json::parse(config_file);
  config["conv_stride"] = {5, 2, 2, 2, 2, 2, 1};
  std::ofstream(model / "config.json") << config;
  json vocabulary{{"<pad>", 0}, {"<s>", 1}, {"</s>", 2}, {"<unk>", 3}, {"|", 4}};
  for (const char* letter : {"É", "T", "7", "€", "A", "B"}) vocabulary[letter] = vocabulary.size();
  while (vocabulary.size() < 32) {
    vocabulary["[" + std::to_string(vocabulary.size()) + "]"] = vocabulary.size();
  }
  std::ofstream(model / "vocab.json") << vocabulary;
  corpus.add(6, repeated("AB", 20));
  const std::string with_model = corpus.path() + " --model " + model.string();
  const json other = inspected(with_model);
  CHECK(other.at("transcripts").at("normalized").at("out_of_vocabulary").dump() ==
        R"({"C":1,"f":1})");
  CHECK(ids(other, "too_much_text").empty());
  CHECK(ids(inspected(corpus.path()), "too_much_text").size() == 1);
  CHECK(inspected(with_model + " --text-normalization none")
            .at("transcripts")
            .at("normalized")
            .at("out_of_vocabulary")
            .contains("a"));
}

TEST_CASE("unusual speaking rates are named") {
  TroubledCorpus corpus;
  for (int i = 0; i < 24; ++i) corpus.add(i % 6, repeated("AB", 4 + i % 6));
  const json usual = inspected(corpus.path());
  CHECK(ids(usual, "fast").empty());
  CHECK(ids(usual, "slow").empty());
  corpus.add(8, "A");
  corpus.add(9, repeated("AB", 36));
  const json found = inspected(corpus.path());
  CHECK(ids(found, "slow") == std::vector<std::string>{corpus.file(8)});
  CHECK(ids(found, "fast") == std::vector<std::string>{corpus.file(9)});
  CHECK_THAT(found.at("findings").at("fast").at("worst").at(0).at("why").dump(),
             ContainsSubstring("90.0 characters a second"));
}

TEST_CASE("shards and folders without transcripts are inspected too") {
  const TemporaryFolder temporary;
  const auto files = flowqat::testing::make_corpus(temporary.path() / "corpus");
  const fs::path flat = temporary.path() / "flat";
  fs::create_directories(flat / "deeper");
  for (size_t i = 0; i < files.size(); ++i) fs::copy(files[i], flat / (i < 6 ? "" : "deeper"));
  const json folder = inspected(flat.string());
  CHECK(folder.at("utterances") == 12);
  CHECK(folder.at("groups").size() == 2);
  CHECK(folder.at("characters_per_s").is_null());
  CHECK(folder.at("findings").at("without_text").at("count") == 12);
  CHECK_THAT(call("inspect " + flat.string()).out, ContainsSubstring("without a transcript"));

  for (size_t i = 0; i < files.size(); ++i) {
    fs::path text = flat / (i < 6 ? "" : "deeper") / files[i].filename();
    std::ofstream(text.replace_extension("txt")) << "WORD " << i;
  }
  const std::string tar = (temporary.path() / "shards" / "0.tar").string();
  fs::create_directories(temporary.path() / "shards");
  REQUIRE(std::system(("tar --sort=name -cf '" + tar + "' -C '" + flat.string() + "' .").c_str()) ==
          0);
  for (const std::string& path : {tar, (temporary.path() / "shards").string(),
                                  (temporary.path() / "shards" / "{0..0}.tar").string()}) {
    const json shards = inspected("'" + path + "'");
    CHECK(shards.at("utterances") == 12);
    CHECK(shards.at("transcripts").at("normalized").at("out_of_vocabulary").at("1") == 4);
  }
}

TEST_CASE("what is no corpus is refused in one line that says why") {
  const TemporaryFolder temporary;
  const std::string empty = (temporary.path() / "empty").string();
  fs::create_directories(empty);
  const auto refused = [](const std::string& arguments, int status, const std::string& why) {
    const Outcome outcome = call("inspect " + arguments);
    INFO(arguments);
    CHECK(outcome.status == status);
    CHECK(outcome.out.empty());
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK_THAT(outcome.err, ContainsSubstring(why));
  };
  refused("/no/such/corpus", 2, "/no/such/corpus");
  refused("/no/such/x.tar", 2, "/no/such/x.tar");
  refused(empty, 1, "no audio found in it or below it");
  refused(empty + " --split dev", 2, "there is no such split");
  refused("README.md", 1, "README.md");
  refused("README.md --split dev", 2, "only a folder in LibriSpeech's layout has splits");
  refused(empty + " --model /no/such/model", 2, "/no/such/model");
  refused(empty + " --html /no/such/page.html", 3, "/no/such/page.html: cannot be written");
  CHECK(call("inspect").status == 2);
  CHECK(call("inspect " + empty + " --max-duration-s -1").status == 2);

  flowqat::testing::make_corpus(temporary.path() / "bad", {.speakers = 1, .utterances = 2});
  for (const auto& file : fs::recursive_directory_iterator(temporary.path() / "bad")) {
    if (file.path().extension() == ".flac") fs::resize_file(file.path(), 20);
  }
  const Outcome broken = call("inspect " + (temporary.path() / "bad").string());
  CHECK(broken.status == 1);
  CHECK_THAT(broken.out, ContainsSubstring("2 utterances cannot be used"));
  CHECK_THAT(broken.err, ContainsSubstring("holds no audio that can be read"));
}

#include "nodes/support/transcripts.h"

#include <nlohmann/json.hpp>

#include "tests/nodes/small_run.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
namespace fs = std::filesystem;
using flowqat::testing::TemporaryFolder;

namespace {

/// Puts other transcripts in the place of a speaker's, first utterances first.
void rewrite(const fs::path& corpus, int speaker, const std::vector<std::string>& texts) {
  const std::string stem = std::to_string(speaker) + "-1";
  std::ofstream file(corpus / std::to_string(speaker) / "1" / (stem + ".trans.txt"));
  for (size_t i = 0; i < texts.size(); ++i) {
    file << stem << "-000" << i << " " << texts[i] << "\n";
  }
}

size_t lines_with(const Recorder& recorder, const std::string& text) {
  return static_cast<size_t>(std::ranges::count_if(
      recorder.said, [&](const std::string& line) { return line.find(text) != line.npos; }));
}

graph::Json first_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  REQUIRE(std::getline(stream, line));
  return graph::Json::parse(line);
}

const std::vector<std::string> kAsSpoken{"Café, “DON’T” — one",   "Room 77, 7 %", "TWO THREE",
                                         "trans-Atlantic; naïve", "\u200bFour…",  "FIVE"};

}  // namespace

TEST_CASE("characters outside the vocabulary are counted once a run and said once, worst first") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  rewrite(temporary.path() / "corpus" / "train", 101, kAsSpoken);
  Recorder stopped, resumed, whole;
  stopped.stop_at = "learn: 3 of ";
  CHECK_THROWS_AS(run(small_quickstart(temporary.path(), "out"), stopped), graph::Interrupted);
  const graph::Json summary =
      run(small_quickstart(temporary.path(), "out"), resumed, graph::Existing::resume);
  const graph::Json& batch = summary.at("transcripts").at("batch");
  CHECK(batch.at("utterances") == 12);
  CHECK(batch.at("normalized") == 4);
  CHECK(batch.at("out_of_vocabulary").dump() == R"({"7":3,"%":1})");
  CHECK(batch.at("out_of_vocabulary_utterances") == 1);
  CHECK(summary.at("transcripts").at("dev_batch").at("out_of_vocabulary").empty());
  // Two steps train on that stream, and one of them was resumed.
  const std::string line =
      "batch: 4 characters in 1 of 12 transcripts are not in the vocabulary: 7 (3 times), % "
      "(once); "
      "the first is in 101-1-0001";
  CHECK(lines_with(stopped, line) == 1);
  CHECK(lines_with(resumed, "not in the vocabulary") == 0);
  CHECK(run(small_quickstart(temporary.path(), "whole"), whole).at("transcripts") ==
        summary.at("transcripts"));
  CHECK(lines_with(whole, line) == 1);
  CHECK(bytes(temporary.path() / "whole" / "model" / "model.safetensors") ==
        bytes(temporary.path() / "out" / "model" / "model.safetensors"));
}

TEST_CASE("training and evaluation go by the normalized transcript, or as it is written") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  const fs::path corpus = temporary.path() / "corpus";
  rewrite(corpus / "dev", 101, kAsSpoken);
  rewrite(corpus / "train", 101, kAsSpoken);
  Recorder as_spoken, as_normalized, as_written;
  const graph::Json spoken = run(small_quickstart(temporary.path(), "spoken"), as_spoken);
  const graph::Json written = run(
      small_quickstart(temporary.path(), "written", {"start.text_normalization=none"}), as_written);
  CHECK(first_line(temporary.path() / "spoken" / "wer-float.jsonl").at("reference") ==
        "CAFE DON'T ONE");
  CHECK(first_line(temporary.path() / "written" / "wer-float.jsonl").at("reference") ==
        kAsSpoken[0]);
  CHECK(written.at("transcripts").at("batch").at("normalized") == 0);
  CHECK(written.at("transcripts").at("batch").at("out_of_vocabulary").size() > 15);
  CHECK(written.at("transcripts").at("batch").at("out_of_vocabulary").at("—") == 1);
  CHECK(written.at("transcripts").at("batch").at("out_of_vocabulary").at("e") == 2);
  CHECK(lines_with(as_written, "4 of 12 transcripts are not in the vocabulary: ") == 1);

  const std::vector<std::string> by_hand{"CAFE DON'T ONE",       "ROOM 77 7 %", "TWO THREE",
                                         "TRANS ATLANTIC NAIVE", "FOUR",        "FIVE"};
  rewrite(corpus / "dev", 101, by_hand);
  rewrite(corpus / "train", 101, by_hand);
  const graph::Json normalized = run(small_quickstart(temporary.path(), "hand"), as_normalized);
  const auto weights = [&](const char* out) {
    return bytes(temporary.path() / out / "model" / "model.safetensors");
  };
  CHECK(weights("hand") == weights("spoken"));
  CHECK(weights("hand") != weights("written"));
  for (const char* rate : {"wer", "cer"}) {
    CHECK(normalized.at("evaluations").at("wer").at(rate) ==
          spoken.at("evaluations").at("wer").at(rate));
  }
}

TEST_CASE("a corpus like LibriSpeech gives the same bits with normalization and without") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  Recorder with, without;
  const graph::Json normalized = run(small_quickstart(temporary.path(), "with"), with);
  const graph::Json plain = run(
      small_quickstart(temporary.path(), "without", {"start.text_normalization=none"}), without);
  CHECK(normalized.at("transcripts") == plain.at("transcripts"));
  CHECK(normalized.at("batches_sha256") == plain.at("batches_sha256"));
  for (const char* file :
       {"model/model.safetensors", "int8/model.safetensors", "wer-float.jsonl", "wer-int8.jsonl"}) {
    CHECK(bytes(temporary.path() / "with" / file) == bytes(temporary.path() / "without" / file));
  }
}

TEST_CASE("a transcript that is not UTF-8 costs its utterance") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  rewrite(temporary.path() / "corpus" / "train", 101,
          {"ONE", "TW\xff", "THREE", "FOUR", "FIVE", "SIX"});
  Recorder recorder;
  run(small_quickstart(temporary.path(), "out"), recorder);
  CHECK(lines_with(recorder,
                   "101-1-0001.flac: its transcript: expected UTF-8 text, found byte "
                   "255 at offset 2") == 1);
}

TEST_CASE("tags in brackets are told with their counts, and a key leaves them out") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  const auto train = temporary.path() / "corpus" / "train";
  rewrite(train, 101, {"ONE [NOISE]", "[NOISE] TWO <COMMA>", "THREE", "FOUR", "FIVE", "SIX"});
  Recorder kept, dropped, by_hand;
  const graph::Json summary = run(small_quickstart(temporary.path(), "kept"), kept);
  CHECK(lines_with(kept,
                   "batch: 3 tags in brackets in 2 of 12 transcripts, taken for words: [NOISE] (2 "
                   "times), <COMMA> (once); the key \"drop_tags\" of the model node leaves them "
                   "out") == 1);
  CHECK(summary.at("transcripts").at("batch").at("tags") ==
        graph::Json{{"[NOISE]", 2}, {"<COMMA>", 1}});
  run(small_quickstart(temporary.path(), "dropped", {"start.drop_tags=true"}), dropped);
  CHECK(lines_with(dropped, "of 12 transcripts, left out: [NOISE] (2 times), <COMMA>") == 1);
  rewrite(train, 101, {"ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX"});
  run(small_quickstart(temporary.path(), "hand"), by_hand);
  const auto weights = [&](const char* out) {
    return bytes(temporary.path() / out / "model" / "model.safetensors");
  };
  CHECK(weights("hand") == weights("dropped"));
  CHECK(weights("hand") != weights("kept"));
}

TEST_CASE("utterances without a text are counted and named before training") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  rewrite(temporary.path() / "corpus" / "train", 101, {"...", "TWO", "!", "FOUR", "?", "-"});
  Recorder recorder;
  const graph::Json summary = run(small_quickstart(temporary.path(), "out"), recorder);
  CHECK(lines_with(recorder,
                   "batch: 4 utterances of 12 without a text, taken for silence: 101-1-0000, "
                   "101-1-0002, 101-1-0004 and 1 more") == 1);
  CHECK(summary.at("transcripts").at("batch").at("without_text") == 4);
}

TEST_CASE("long lists of characters are cut, the most frequent first") {
  io::CharacterCounts counts{{"1", 2}, {"2", 9}, {"3", 1}, {"\u200b", 5}};
  CHECK(nodes::worst_first(counts, 2) == "2 (9 times), U+200B (5 times) and 2 more");
  CHECK(nodes::worst_first(counts) == "2 (9 times), U+200B (5 times), 1 (2 times), 3 (once)");
}

TEST_CASE(
    "of many transcripts a part is looked at, evenly, and the same on any number of threads") {
  std::vector<graph::IndexEntry> entries(20'000);
  graph::Selection selection;
  for (uint32_t i = 0; i < entries.size(); ++i) {
    entries[i].id = "u" + std::to_string(i);
    entries[i].transcript = i % 10 == 3 ? "" : i == 15'000 ? "A7" : "A B";
    for (int copy = 0; copy < 2; ++copy) selection.presentations.push_back({i, copy});
  }
  const graph::Index index(entries);
  const io::Tokenizer tokenizer = io::Tokenizer::base_960h();
  const io::TextNormalizer normalize(tokenizer, io::TextNormalization::vocabulary);
  const nodes::TranscriptCounts all = nodes::count_transcripts(index, selection, normalize);
  CHECK(all.all == 20'000);
  CHECK(all.part_of == 0);
  CHECK(all.without_text == 2'000);
  CHECK(all.named_without_text == std::vector<std::string>{"u3", "u13", "u23"});
  CHECK(all.unknown_utterances == 1);
  CHECK(all.first_unknown == "u15000");
  CHECK(nodes::part_line(all).empty());
  for (const int threads : {1, 4}) {
    const auto counts = nodes::count_transcripts(index, selection, normalize, 20'000, threads);
    CHECK(to_json(counts) == to_json(all));
    const auto part = nodes::count_transcripts(index, selection, normalize, 3'000, threads);
    CHECK(part.all == 2'858);  // every seventh
    CHECK(part.part_of == 20'000);
    CHECK(part.without_text == Approx(286).margin(2));
    CHECK_THAT(nodes::part_line(part), ContainsSubstring("2,858 of 20,000 utterances"));
  }
  CHECK(nodes::has_text(index, selection, normalize));
  for (graph::IndexEntry& entry : entries) entry.transcript.clear();
  CHECK_FALSE(nodes::has_text(graph::Index(entries), selection, normalize));
}

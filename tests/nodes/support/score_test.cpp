#include "nodes/support/score.h"

#include <nlohmann/json.hpp>

#include "tests/catch.h"

using namespace flowqat::nodes;

TEST_CASE("errors are tallied by the words behind them") {
  WordTallies words;
  words.add(score("ONE TWO THREE", "ONE TOO THREE").words);
  words.add(score("TWO", "TOO").words);
  words.add(score("A B", "B").words);
  words.add(score("A", "A UH UM").words);
  words.add(score("A", "A UM").words);
  using Pair = std::pair<std::string, std::string>;
  CHECK(words.confused == Tally<Pair>{{{"TWO", "TOO"}, 2}});
  CHECK(words.deleted == Tally<std::string>{{"A", 1}});
  CHECK(most_frequent(words.inserted, 9) ==
        std::vector<std::pair<std::string, int64_t>>{{"UM", 2}, {"UH", 1}});
  CHECK(most_frequent(words.inserted, 1).size() == 1);
}

TEST_CASE("scores add up, and an utterance's line holds its own") {
  flowqat::graph::IndexEntry entry;
  entry.id = "7-1";
  entry.speaker = "7";
  entry.transcript = "A CAT";
  entry.shape = {8000, 16000};
  const Score scored = score(entry.transcript, "A BAT");
  const auto line = listing(entry, "A CAT", "A BAT", scored);
  CHECK(line.at("reference") == "A CAT");
  CHECK(line.at("duration_s") == 0.5);
  CHECK(line.at("errors") == 1);
  CHECK(line.at("reference_words") == 2);
  CHECK(line.at("character_errors") == 1);
  CHECK(line.at("reference_characters") == 5);
  ScoreSums sums;
  sums.add(scored, 0.5);
  sums.add(score("A", "A"), 1);
  CHECK(sums.words == ErrorCounts{2, 1, 0, 0});
  CHECK(sums.characters.references() == 6);
  CHECK(sums.utterances == 2);
  CHECK(sums.audio_s == 1.5);
}

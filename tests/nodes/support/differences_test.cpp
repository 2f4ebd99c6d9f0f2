#include "nodes/support/differences.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "tests/catch.h"

using namespace flowqat::nodes;

TEST_CASE("utterances are paired by their place in the stream, in whatever order they came") {
  UtteranceErrors model, other;
  model.add(2, score("A B", "A"));
  model.add(0, score("ONE TWO THREE", "ONE TOO TWO THREE"));
  model.add(3, score("ALONE", ""));  // the other could not read it
  other.add(0, score("ONE TWO THREE", "ONE TWO THREE"));
  other.add(1, score("ALONE", "ALONE"));
  other.add(2, score("A B", ""));
  const PairedUtterances paired(model, other);
  REQUIRE(paired.words.size() == 2);
  REQUIRE(paired.characters.size() == 2);
  CHECK(paired.words[0].errors == 1);
  CHECK(paired.words[0].references == 3);
  CHECK(paired.words[0].other_errors == 0);
  CHECK(paired.words[1].errors == 1);
  CHECK(paired.words[1].other_errors == 2);
  CHECK(paired.words[1].other_references == 2);
  CHECK(paired.characters[0].errors == 4);
  CHECK(paired.characters[0].references == 13);
  CHECK(paired.characters[1].other_errors == 3);
}

TEST_CASE("a table says how certain each difference is, and calls noise noise") {
  RateDifference worse;
  worse.difference = 0.0073;
  worse.low = 0.00312;
  worse.high = 0.0120;
  worse.utterances = 428;
  worse.resamples = 10000;
  RateDifference unclear = worse;
  unclear.low = -0.001;
  RateDifference unknown = worse;
  unknown.low = -std::numeric_limits<double>::infinity();
  unknown.high = std::numeric_limits<double>::infinity();
  CHECK(points_text(worse) == "+0.73 (+0.31 to +1.20)");
  CHECK(points_text(unclear) == "+0.73 (-0.10 to +1.20) noise");
  CHECK(points_text(unknown) == "+0.73 (unknown) noise");
  CHECK(differences_table({}, "float").empty());
  const std::string clear = differences_table({{"ptq", worse, worse}}, "float");
  CHECK_THAT(clear, ContainsSubstring("against float    WER ") &&
                        ContainsSubstring("\nptq              +0.73 (+0.31 to +1.20)  ") &&
                        ContainsSubstring("points and their 95 % intervals (paired bootstrap, "
                                          "10,000 resamples of 428 utterances)\n"));
  CHECK_THAT(clear, !ContainsSubstring("noise"));
  CHECK_THAT(differences_table({{"ptq", worse, worse}, {"int8", worse, unclear}}, "float"),
             ContainsSubstring("noise: the interval holds 0, so these utterances do not tell"));
  CHECK(as_json(unclear).at("noise") == true);
  CHECK(as_json(worse).at("noise") == false);
  CHECK(as_json(worse).at("low") == 0.00312);
  CHECK(as_json(unknown).at("high").is_null());
}

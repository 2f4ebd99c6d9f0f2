#include "nodes/word_error_rate.h"

#include "tests/catch.h"

using flowqat::nodes::count_word_errors;
using flowqat::nodes::WordErrors;

TEST_CASE("substitutions, deletions and insertions are told apart") {
  const WordErrors errors = count_word_errors("THE CAT SAT ON THE MAT", "THE BAT SAT THE MAT NOW");
  CHECK(errors.substitutions == 1);
  CHECK(errors.deletions == 1);
  CHECK(errors.insertions == 1);
  CHECK(errors.rate() == Approx(0.5));
}

TEST_CASE("empty texts have defined rates") {
  CHECK(count_word_errors("", "").rate() == 0);
  CHECK(count_word_errors("", "A").rate() == 1);
  CHECK(count_word_errors("A B", "").deletions == 2);
  CHECK(count_word_errors("A  B", " A B ").errors() == 0);
}

TEST_CASE("counts of utterances add up to the corpus rate") {
  WordErrors sum = count_word_errors("A B C", "A B");
  sum += count_word_errors("D", "D E F");
  CHECK(sum.errors() == 3);
  CHECK(sum.reference_words == 4);
}

#include "nodes/support/error_rate.h"

#include "tests/catch.h"

using namespace flowqat::nodes;

namespace {

ErrorCounts word_errors(const std::string& reference, const std::string& hypothesis) {
  return align_words(reference, hypothesis).counts();
}
ErrorCounts character_errors(const std::string& reference, const std::string& hypothesis) {
  return align_characters(reference, hypothesis).counts();
}

}  // namespace

TEST_CASE("hits, substitutions, deletions and insertions are told apart") {
  const ErrorCounts errors = word_errors("THE CAT SAT ON THE MAT", "THE BAT SAT THE MAT NOW");
  CHECK(errors == ErrorCounts{4, 1, 1, 1});
  CHECK(errors.references() == 6);
  CHECK(errors.rate() == Approx(0.5));
  CHECK(character_errors("KITTEN", "SITTING") == ErrorCounts{4, 2, 0, 1});
}

TEST_CASE("an alignment walks from the reference to the hypothesis") {
  const Alignment words = align_words("ONE TWO THREE", "ONE TOO THREE FOUR");
  CHECK(words.reference == std::vector<std::string>{"ONE", "TWO", "THREE"});
  CHECK(words.hypothesis == std::vector<std::string>{"ONE", "TOO", "THREE", "FOUR"});
  CHECK(words.edits ==
        std::vector<Edit>{Edit::hit, Edit::substitution, Edit::hit, Edit::insertion});
  CHECK(align_characters("ABCD", "BC").edits ==
        std::vector<Edit>{Edit::deletion, Edit::hit, Edit::hit, Edit::deletion});
}

TEST_CASE("where nothing was said the rate is the number of insertions") {
  CHECK(word_errors("", "").rate() == 0);
  CHECK(word_errors("", "A B").rate() == 2);
  CHECK(character_errors(" ", "A B").rate() == 3);
  CHECK(word_errors("A B", "") == ErrorCounts{0, 0, 2, 0});
  CHECK(align_words("", "").edits.empty());
}

TEST_CASE("spaces part words, and count as characters inside a text alone") {
  CHECK(word_errors("A  B", " A B\n").errors() == 0);
  CHECK(word_errors("A\tB", "A B") == ErrorCounts{0, 1, 0, 1});
  CHECK(word_errors("A\t\nB", "A B").errors() == 0);
  CHECK(character_errors(" A B ", "AB") == ErrorCounts{2, 0, 1, 0});
  CHECK(character_errors("A  B", "A B").errors() == 1);
}

TEST_CASE("characters are code points, whatever their bytes") {
  CHECK(character_errors("ÄÖ日😀", "AÖ日😀") == ErrorCounts{3, 1, 0, 0});
  CHECK(word_errors("straße\u3000\u2003über", "straße über").errors() == 0);
  CHECK_THROWS_WITH(word_errors("A\xff", "A"), ContainsSubstring("expected UTF-8"));
}

TEST_CASE("counts of utterances add up to the corpus rate") {
  ErrorCounts sum = word_errors("A B C", "A B");
  sum += word_errors("D", "D E F");
  CHECK(sum == ErrorCounts{3, 0, 1, 2});
  CHECK(sum.rate() == Approx(0.75));
}

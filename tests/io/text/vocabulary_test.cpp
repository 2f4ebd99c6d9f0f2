#include "io/text/vocabulary.h"

#include "io/text/text_normalizer.h"
#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;
using Characters = std::vector<std::string>;

TEST_CASE("the characters of texts become tokens behind the special ones") {
  const Vocabulary found =
      make_vocabulary({"Don’t  stop, Zoë! (now)", "zoe\u0308 7-7\tÄ", "[LAUGHTER] 5 % & ok"}, {});
  CHECK(found.characters ==
        Characters{"'", "5", "7", "d", "k", "n", "o", "p", "s", "t", "w", "z", "ä", "ë"});
  CHECK(found.counts.at("ë") == 2);
  CHECK(found.counts.at("'") == 1);
  CHECK(found.left_out == CharacterCounts{{"%", 1}, {"&", 1}});
  CHECK(found.tags == CharacterCounts{{"[LAUGHTER]", 1}});
  const Tokenizer tokenizer = found.tokenizer();
  CHECK(Characters(tokenizer.tokens().begin(), tokenizer.tokens().begin() + 6) ==
        Characters{"<pad>", "<s>", "</s>", "<unk>", "|", "'"});
  CHECK(tokenizer.size() == 19);
  CHECK(tokenizer.blank_id() == 0);
}

TEST_CASE("letters come in the case that is asked for, or that the corpus has") {
  const auto letters = [](const std::string& text, LetterCase letter_case) {
    std::string all;
    for (const std::string& one :
         make_vocabulary({text}, {.letter_case = letter_case}).characters) {
      all += one;
    }
    return all;
  };
  CHECK(letters("aBß", LetterCase::automatic) == "abß");
  CHECK(letters("AB", LetterCase::automatic) == "AB");
  CHECK(letters("ab", LetterCase::automatic) == "ab");
  CHECK(letters("日本", LetterCase::automatic) == "日本");
  CHECK(letters("aBß", LetterCase::upper) == "ABS");
  CHECK(letters("aBß", LetterCase::lower) == "abß");
  CHECK(letters("aBß", LetterCase::as_written) == "Baß");
  for (const std::string& name : letter_case_names()) CHECK_NOTHROW(parse_letter_case(name));
  CHECK_THAT(error_of([] { parse_letter_case("title"); }), ContainsSubstring("found \"title\""));
}

TEST_CASE("a corpus of Turkish pairs its letters, and a foreign name elsewhere does not") {
  const Vocabulary turkish = make_vocabulary({"Işık kapıyı açtı. İyi İstanbul"}, {});
  CHECK(turkish.is_turkish);
  CHECK(turkish.counts.at("ı") == 5);
  CHECK(turkish.counts.at("i") == 3);
  CHECK_FALSE(turkish.counts.contains("\u0307"));
  const Vocabulary upper = make_vocabulary({"ışık iyi"}, {.letter_case = LetterCase::upper});
  CHECK(upper.counts.at("I") == 2);
  CHECK(upper.counts.at("İ") == 2);
  const Vocabulary german = make_vocabulary(
      {"ich bin in Wien, nicht in İstanbul, sie sind in Diyarbakır, wie immer; viele "
       "Kinder spielen hier im Winter mit ihren Skiern im Schnee, weil sie das mögen"},
      {});
  CHECK_FALSE(german.is_turkish);
  CHECK_FALSE(german.counts.contains("ı"));
  CHECK_FALSE(german.counts.contains("\u0307"));
}

TEST_CASE("rare characters are left out and signs kept where that is asked for") {
  const Vocabulary found = make_vocabulary({"aab-b ñ %", "ab % #"}, {.min_count = 2, .keep = "%-"});
  CHECK(found.characters == Characters{"%", "a", "b"});
  CHECK(found.left_out == CharacterCounts{{"#", 1}, {"-", 1}, {"ñ", 1}});
  for (const std::string bad : {"a b", "|"}) {
    CHECK_THAT(error_of([&] { make_vocabulary({"a"}, {.keep = bad}); }),
               ContainsSubstring("stand between words"));
  }
  CHECK_THAT(error_of([] { make_vocabulary({"\xff"}, {}); }), ContainsSubstring("byte 255"));
}

TEST_CASE("a text needs nothing that its own vocabulary lacks, signs aside") {
  for (const std::string text :
       {"Việt Nam: “đẹp”!", "Vie\u0302\u0323t", "isn’t it — 7 times?", "नमस्ते दुनिया", "ẹ\u0301kọ́",
        "Straße", "STRAẞE und Straße", "Işık İyi ılık", "한국어 말", "ﬁn", "Ǆ ǅ"}) {
    INFO(text);
    for (const LetterCase letter_case :
         {LetterCase::automatic, LetterCase::lower, LetterCase::upper, LetterCase::as_written}) {
      const Tokenizer tokenizer = make_vocabulary({text}, {.letter_case = letter_case}).tokenizer();
      CharacterCounts unknown;
      tokenizer.encode(TextNormalizer(tokenizer, TextNormalization::vocabulary)(text), &unknown);
      CHECK(unknown.empty());
    }
  }
}

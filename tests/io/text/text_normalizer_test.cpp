#include "io/text/text_normalizer.h"

#include <cstdlib>
#include <fstream>

#include "io/corpus/librispeech.h"
#include "io/files/json_file.h"
#include "io/text/characters.h"
#include "tests/catch.h"
#include "tests/io/support.h"
#include "tests/skip.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

/// A tokenizer of the characters of `letters`, with the usual special tokens.
Tokenizer tokenizer_of(const std::vector<std::string>& letters, bool lower_case = false) {
  nlohmann::json vocabulary{{"<pad>", 0}, {"<s>", 1}, {"</s>", 2}, {"<unk>", 3}, {"|", 4}};
  for (const std::string& letter : letters) vocabulary[letter] = vocabulary.size();
  TemporaryFolder folder;
  write_json(folder / "vocab.json", vocabulary);
  write_json(folder / "tokenizer_config.json", {{"do_lower_case", lower_case}});
  return Tokenizer::load(folder.path());
}

std::vector<std::string> characters(const std::string& text) {
  std::vector<std::string> result;
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
    result.push_back(text.substr(at, end - at));
    at = end;
  }
  return result;
}

std::string for_base(const std::string& text) {
  static const Tokenizer tokenizer = Tokenizer::base_960h();
  return TextNormalizer(tokenizer, TextNormalization::vocabulary)(text);
}

}  // namespace

TEST_CASE("a text that the vocabulary covers comes back as it is") {
  for (const std::string text : {"", "A", "IT'S THE 'SO CALLED' END", "QUE|RY", "A <unk> B </s>"})
    CHECK(for_base(text) == text);
  const Tokenizer mixed = tokenizer_of(characters("aAéÉe-’'\"1$.,"));
  const TextNormalizer normalize(mixed, TextNormalization::vocabulary);
  for (const std::string text : {"aA éÉe", "a-e", "’e' \"a\"", "1$", "a. e,"})
    CHECK(normalize(text) == text);
}

TEST_CASE("LibriSpeech's own transcripts are not touched") {
  const char* data = std::getenv("FLOWQAT_TEST_DATA");
  if (!data) return flowqat::testing::skip("no FLOWQAT_TEST_DATA");
  const Corpus corpus = scan_librispeech(std::string(data) + "/librispeech", {}, 1);
  CHECK(corpus.entries.size() == 104);
  for (const CorpusEntry& entry : corpus.entries)
    CHECK(for_base(entry.transcript) == entry.transcript);
}

TEST_CASE("case, white space and punctuation become the vocabulary's") {
  CHECK(for_base("Hello, world!") == "HELLO WORLD");
  CHECK(for_base("  so\tit\u00a0 goes \n") == "SO IT GOES");
  CHECK(for_base("twenty-one (or so)") == "TWENTY ONE OR SO");
  CHECK(for_base("and/or \\ snake_case") == "AND OR SNAKE CASE");
  CHECK(for_base("The U.S. — well… yes–no") == "THE US WELL YES NO");
  CHECK(for_base("¿Qué? ¡Sí!") == "QUE SI");
  CHECK(for_base("《a》、b。") == "AB");
  CHECK(for_base(" ... ") == "");
  CHECK(for_base("a\u200bb\u00adc\ufeff") == "ABC");
  CHECK(for_base("Straße") == "STRASSE");
}

TEST_CASE("apostrophes stay and quotes go, whatever their shape") {
  CHECK(for_base("Don’t, doesn`t, isnʼt, can´t, won＇t") == "DON'T DOESN'T ISN'T CAN'T WON'T");
  CHECK(for_base("‘I don’t,’ he said. ’Tis the boys’ turn") ==
        "I DON'T HE SAID 'TIS THE BOYS' TURN");
  CHECK(for_base("“double” „low“ «guillemets» \"straight\"") == "DOUBLE LOW GUILLEMETS STRAIGHT");
  CHECK(for_base("5’ ’90s") == "5 90S");
  const Tokenizer none = tokenizer_of(characters("DONT"));
  CHECK(TextNormalizer(none, TextNormalization::vocabulary)("Don’t, don't") == "DONT DONT");
  const Tokenizer curly = tokenizer_of(characters("dont’\"-"));
  CHECK(TextNormalizer(curly, TextNormalization::vocabulary)("Don't, “don`t”—do‐not") ==
        "don’t \"don’t\" do-not");
}

TEST_CASE("accents are folded where the vocabulary lacks the accented letter, and only there") {
  CHECK(for_base("Café naïve Ångström, ﬁancé, Ａ") == "CAFE NAIVE ANGSTROM FIANCE A");
  CHECK(for_base("cafe\u0301 Tiê\u0301\u0323n İstanbul") == "CAFE TIEN ISTANBUL");
  const Tokenizer french = tokenizer_of(characters("ACEFÉ"));
  const TextNormalizer normalize(french, TextNormalization::vocabulary);
  CHECK(normalize("café") == "CAFÉ");
  CHECK(normalize("CAFE\u0301 cafe\u0301") == "CAFÉ CAFÉ");
  CHECK(normalize("fêe") == "FEE");
  const Tokenizer marks = tokenizer_of(characters("EAF\u0301"));
  CHECK(TextNormalizer(marks, TextNormalization::vocabulary)("fée") == "FE\u0301E");
  const Tokenizer jamo = tokenizer_of({"\u1100", "\u1161"});
  CHECK(TextNormalizer(jamo, TextNormalization::vocabulary)("가") == "\u1100\u1161");
}

TEST_CASE("what cannot be folded stays, to be counted") {
  for (const std::string text :
       {"7", "½", "%", "€5", "ø", "日本", "한", "नि", "😀", "�", "№", "²", "&"}) {
    INFO(text);
    CharacterCounts unknown;
    CHECK(for_base(text) == text);
    Tokenizer::base_960h().encode(for_base(text), &unknown);
    CHECK_FALSE(unknown.empty());
  }
  CharacterCounts unknown;
  Tokenizer::base_960h().encode(for_base("Route 66, 6 € — naïve Łódź"), &unknown);
  CHECK(unknown == CharacterCounts{{"6", 3}, {"€", 1}, {"Ł", 1}});
}

TEST_CASE("special tokens are neither letters nor spelled out") {
  CHECK(for_base("a <unk> b") == "A <unk> B");
  nlohmann::json vocabulary{{"-", 0}, {"<unk>", 1}, {"|", 2}, {"A", 3}, {"B", 4}};
  TemporaryFolder folder;
  write_json(folder / "vocab.json", vocabulary);
  write_json(folder / "tokenizer_config.json", {{"pad_token", "-"}});
  const Tokenizer dashed = Tokenizer::load(folder.path());
  CHECK_FALSE(dashed.has(U'-'));
  // The blank in a target would be no target at all.
  CHECK(TextNormalizer(dashed, TextNormalization::vocabulary)("a-b") == "A B");
}

TEST_CASE("a tokenizer that works in lower case gets references in lower case") {
  const Tokenizer tokenizer = tokenizer_of(characters("ABCDEFSTRUX"), true);
  const TextNormalizer normalize(tokenizer, TextNormalization::vocabulary);
  CHECK(normalize("Abc, DÉF ß") == "abc def ß");  // "SS" for its tokens
  CharacterCounts unknown;
  CHECK(tokenizer.encode(normalize("Straße"), &unknown) == tokenizer.encode("STRASSE"));
  CHECK(unknown.empty());
}

TEST_CASE("without normalization a text stays as written, and broken UTF-8 is refused with it") {
  const Tokenizer tokenizer = Tokenizer::base_960h();
  CHECK(TextNormalizer(tokenizer, TextNormalization::none)(" Hé,  1") == " Hé,  1");
  CHECK_THAT(error_of([&] { for_base("A\xff"); }), ContainsSubstring("byte 255 at offset 1"));
  for (const std::string& name : text_normalization_names())
    CHECK_NOTHROW(parse_text_normalization(name));
  CHECK_THAT(error_of([] { parse_text_normalization("lower"); }),
             ContainsSubstring("\"vocabulary\" or \"none\", found \"lower\""));
}

TEST_CASE("characters have names that can be seen") {
  CHECK(character_name("7") == "7");
  CHECK(character_name("é") == "é (U+00E9)");
  CHECK(character_name("\u0301") == "U+0301");
  CHECK(character_name("\u200b") == "U+200B");
  CHECK(character_name(" ") == "U+0020");
  CHECK(character_name("😀") == "😀 (U+1F600)");
}

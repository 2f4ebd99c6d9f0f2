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

TEST_CASE("marks in any order make the letter that the vocabulary has") {
  const Tokenizer vietnamese = tokenizer_of(characters("VITEÊỆẾƠỢ"));
  const TextNormalizer normalize(vietnamese, TextNormalization::vocabulary);
  // As Windows' code page 1258 writes it: the letter with its hat, then the dot below.
  for (const std::string text : {"Việt", "Vi\u00ea\u0323t", "Vi\u1eb9\u0302t", "Vie\u0302\u0323t",
                                 "Vie\u0323\u0302t", "VIE\u0323\u0302T"}) {
    INFO(text);
    CHECK(normalize(text) == "VIỆT");
  }
  CHECK(normalize("o\u031b\u0323 o\u0323\u031b \u01a1\u0323") == "Ợ Ợ Ợ");
  CHECK(normalize("te\u0302\u0301t") == "TẾT");
  CHECK(normalize("tễt") == "TÊT");  // the tilde goes, the hat stays
}

TEST_CASE("what is canonically the same is the token that the vocabulary has of it") {
  const Tokenizer composed = tokenizer_of({"É", "E", "\u0301", "\u00c5", "\uac00"});
  const TextNormalizer normalize(composed, TextNormalization::vocabulary);
  CHECK(normalize("E\u0301 é") == "É É");
  CHECK(normalize("\u212b A\u030a") == "\u00c5 \u00c5");
  CHECK(normalize("\u1100\u1161") == "\uac00");
  const Tokenizer hindi = tokenizer_of({"\u0958", "\u0928"});  // NFC takes U+0958 apart
  CHECK(TextNormalizer(hindi, TextNormalization::vocabulary)("\u0915\u093c\u0928 \u0958") ==
        "\u0958\u0928 \u0958");
  const Tokenizer parts = tokenizer_of({"\u0915", "\u093c", "E", "\u0301"});
  CHECK(TextNormalizer(parts, TextNormalization::vocabulary)("\u0958 E\u0301") ==
        "\u0915\u093c E\u0301");
  const Tokenizer whole = tokenizer_of({"E\u0301", "E"});
  CHECK(TextNormalizer(whole, TextNormalization::vocabulary)("ÉE") == "E\u0301E");
}

TEST_CASE("case is folded as Turkish does where the vocabulary has its letters") {
  const Tokenizer small = tokenizer_of(characters("abcçdefgğhıijklmnoöprsştuüvyz"));
  const TextNormalizer to_small(small, TextNormalization::vocabulary);
  CHECK(to_small("ISPARTA İstanbul KIŞ i\u0307z I\u0307Z iyi ılık") ==
        "ısparta istanbul kış iz iz iyi ılık");
  const Tokenizer large = tokenizer_of(characters("ABCÇDEFGĞHIİJKLMNOÖPRSŞTUÜVYZ"));
  const TextNormalizer to_large(large, TextNormalization::vocabulary);
  CHECK(to_large("ısparta istanbul Işık İyi") == "ISPARTA İSTANBUL IŞIK İYİ");
  const Tokenizer english = tokenizer_of(characters("inst"));
  CHECK(TextNormalizer(english, TextNormalization::vocabulary)("IN İN ın") == "in in in");
}

TEST_CASE("a sharp s that the vocabulary lacks is two, in its case") {
  const auto with = [](const std::string& letters, const std::string& text) {
    const Tokenizer tokenizer = tokenizer_of(characters(letters));
    return TextNormalizer(tokenizer, TextNormalization::vocabulary)(text);
  };
  CHECK(with("straße", "Straße STRAẞE") == "straße straße");
  CHECK(with("strae", "Straße STRAẞE") == "strasse strasse");
  CHECK(with("STRAE", "Straße STRAẞE") == "STRASSE STRASSE");
  CHECK(with("STRAẞE", "Straße STRAẞE") == "STRAẞE STRAẞE");
}

TEST_CASE("tags in brackets are found, and left out if that is asked for") {
  const Tokenizer base = Tokenizer::base_960h();
  const TextNormalizer keep(base, TextNormalization::vocabulary);
  using Tags = std::vector<std::string>;
  const std::string text = "well [LAUGHTER]<COMMA>he <unk> said {noise} [inaudible 00:12] </laugh>";
  CHECK(keep.tags(text) ==
        Tags{"[LAUGHTER]", "<COMMA>", "{noise}", "[inaudible 00:12]", "</laugh>"});
  for (const std::string none :
       {"a < b > c", "I <3 you", "[1]", "[]", "[a [b", "<unk>", "<s>", "(laughs)", "[a\u00e9"}) {
    INFO(none);
    CHECK(keep.tags(none).empty());
  }
  CHECK(keep.tags("[" + std::string(51, 'x') + "]").empty());
  CHECK(keep("so [LAUGHTER] it") == "SO LAUGHTER IT");
  const TextNormalizer drop(base, {TextNormalization::vocabulary, true});
  CHECK(drop(text) == "WELL HE <unk> SAID");
  CHECK(drop("so[LAUGHTER]it") == "SO IT");
  CHECK(drop("[LAUGHTER]") == "");
  const TextNormalizer none(base, {TextNormalization::none, true});
  CHECK(none("Well, [laughs] so") == "Well, so");
  CHECK(none("Well,  so") == "Well,  so");
  const Tokenizer tagged = tokenizer_of({"[LAUGHTER]", "A"});
  const TextNormalizer own(tagged, {TextNormalization::vocabulary, true});
  CHECK(own.tags("a [LAUGHTER] [NOISE]") == Tags{"[NOISE]"});
  CHECK(own("a [LAUGHTER] [NOISE]") == "A [LAUGHTER]");
}

TEST_CASE("a text that is normalized stays so") {
  const Tokenizer base = Tokenizer::base_960h();
  const TextNormalizer normalize(base, TextNormalization::vocabulary);
  for (const std::string text : {"\u1100\u0301\u1161", "\u0928\u200d\u093c", "\u00f8\u200d\u0301",
                                 "q\u0301\u0323 ệ", "İ\u0307ı", "ẞß", "‘a’ ’b"}) {
    INFO(text);
    const std::string once = normalize(text);
    CHECK(normalize(once) == once);
  }
}

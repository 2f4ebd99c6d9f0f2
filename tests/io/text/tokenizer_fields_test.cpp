/// Classes of tokenizers, and the fields of tokenizer_config.json.
#include "io/files/json_file.h"
#include "io/text/characters.h"
#include "io/text/text_normalizer.h"
#include "io/text/tokenizer.h"
#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;
using nlohmann::json;

namespace {

struct Folder : TemporaryFolder {
  Folder() {
    write_json(path() / "vocab.json", {{"<pad>", 0},
                                       {"<s>", 1},
                                       {"</s>", 2},
                                       {"<unk>", 3},
                                       {"a", 4},
                                       {"tʃ", 5},
                                       {"aɪ", 6},
                                       {"|", 7}});
  }
  Tokenizer load(const json& config) const {
    write_json(path() / "tokenizer_config.json", config);
    return Tokenizer::load(path());
  }
  std::string refusal(const json& config) const {
    return error_of([&] { load(config); });
  }
};

const json kPhonemes{{"tokenizer_class", "Wav2Vec2PhonemeCTCTokenizer"}, {"do_phonemize", false}};
using Ids = std::vector<int32_t>;

}  // namespace

TEST_CASE("phonemes are tokens between spaces, and are written with spaces between them") {
  const Folder folder;
  const Tokenizer tokenizer = folder.load(kPhonemes);
  CHECK(tokenizer.kind() == TokenizerKind::phonemes);
  CHECK(tokenizer.notes().empty());
  CharacterCounts unknown;
  CHECK(tokenizer.encode(" a tʃ  aɪ<pad>a taɪ ", &unknown) == Ids{4, 5, 6, 0, 4, 3});
  CHECK(unknown == CharacterCounts{{"taɪ", 1}});
  CHECK(character_name(unknown.begin()->first) == "\"taɪ\"");
  const DecodedText decoded = tokenizer.decode_words(Ids{0, 5, 5, 0, 5, 6, 7, 99, 0});
  CHECK(decoded.text == "tʃ tʃ aɪ | <unk>");
  CHECK(decoded.words ==
        std::vector<Word>{{"tʃ", 1, 3}, {"tʃ", 4, 5}, {"aɪ", 5, 6}, {"|", 6, 7}, {"<unk>", 7, 8}});
  CHECK(tokenizer.decode(Ids{}) == "");
  CHECK(TextNormalizer(tokenizer, TextNormalization::vocabulary)("TƩ aɪ") == "TƩ aɪ");
}

TEST_CASE("a word delimiter between phonemes is left out of texts") {
  const Folder folder;
  json config = kPhonemes;
  config["word_delimiter_token"] = "|";
  const Tokenizer tokenizer = folder.load(config);
  CHECK(tokenizer.decode(Ids{5, 7, 6, 7, 7, 4}) == "tʃ aɪ a");
  CHECK(tokenizer.encode("tʃ | aɪ") == Ids{5, 7, 6});
}

TEST_CASE("a tokenizer keeps its class and what belongs to it when it is saved") {
  const Folder folder;
  json config = kPhonemes;
  config["phonemizer_lang"] = "de";
  config["do_phonemize"] = true;
  const Tokenizer tokenizer = folder.load(config);
  REQUIRE(tokenizer.notes().size() == 1);
  CHECK_THAT(tokenizer.notes()[0], ContainsSubstring("transcripts must be phonemes"));
  const TemporaryFolder saved;
  tokenizer.save(saved.path());
  const json written = read_json(saved / "tokenizer_config.json");
  CHECK(written["tokenizer_class"] == "Wav2Vec2PhonemeCTCTokenizer");
  CHECK(written["phonemizer_lang"] == "de");
  CHECK(written["do_phonemize"] == true);
  CHECK(written["phone_delimiter_token"] == " ");
  CHECK(written["word_delimiter_token"].is_null());
  CHECK(Tokenizer::load(saved.path()).decode(Ids{5, 6}) == "tʃ aɪ");
  folder.load(json::object()).save(saved.path());
  CHECK(read_json(saved / "tokenizer_config.json")["tokenizer_class"] == "Wav2Vec2CTCTokenizer");
  CHECK(Tokenizer::load(saved.path()).kind() == TokenizerKind::characters);
}

TEST_CASE("other classes are refused by name, wherever they stand") {
  const Folder folder;
  CHECK_THAT(folder.refusal({{"tokenizer_class", "BertTokenizer"}}),
             ContainsSubstring("tokenizer_config.json: \"tokenizer_class\": \"BertTokenizer\""));
  CHECK_THAT(folder.refusal({{"tokenizer_class", 3}}), ContainsSubstring("expected a string"));
  CHECK(folder.load({{"tokenizer_class", "Wav2Vec2Tokenizer"}}).kind() ==
        TokenizerKind::characters);
  write_json(folder / "config.json", {{"tokenizer_class", "Wav2Vec2PhonemeCTCTokenizer"}});
  CHECK(folder.load(json::object()).kind() == TokenizerKind::phonemes);
  CHECK(folder.load({{"tokenizer_class", "Wav2Vec2CTCTokenizer"}}).kind() ==
        TokenizerKind::characters);
  write_json(folder / "config.json", {{"tokenizer_class", "WhisperTokenizer"}});
  CHECK_THAT(folder.refusal(json::object()),
             ContainsSubstring("/config.json: \"tokenizer_class\": \"WhisperTokenizer\""));
}

TEST_CASE("a field that would make another tokenizer is refused, one that means nothing is told") {
  const Folder folder;
  CHECK_THAT(folder.refusal({{"split_special_tokens", true}}),
             ContainsSubstring("field \"split_special_tokens\" is true") &&
                 ContainsSubstring("only false is accepted"));
  CHECK_THAT(folder.refusal({{"auto_map", {{"AutoTokenizer", {"a.B", nullptr}}}}}),
             ContainsSubstring("field \"auto_map\""));
  CHECK_THAT(folder.refusal({{"cls_token", "[CLS]"}}),
             ContainsSubstring("\"cls_token\": token \"[CLS]\" has no id"));
  CHECK_THAT(folder.refusal({{"additional_special_tokens", {"<s>", "<noise>"}}}),
             ContainsSubstring("\"additional_special_tokens\": token \"<noise>\" has no id"));
  CHECK_THAT(folder.refusal(
                 {{"added_tokens_decoder", {{"9", {{"content", "x"}, {"single_word", true}}}}}}),
             ContainsSubstring("\"single_word\" is true"));
  CHECK_THAT(folder.refusal({{"added_tokens_decoder", {{"9", "x"}}}}),
             ContainsSubstring("added token \"9\": expected an object"));
  const json sound{{"split_special_tokens", false},
                   {"auto_map", nullptr},
                   {"model_max_length", 1e30},
                   {"backend", "custom"},
                   {"do_normalize", true},
                   {"additional_special_tokens", {"<s>", {{"content", "</s>"}}}},
                   {"cls_token", nullptr}};
  CHECK(folder.load(sound).notes().empty());
  const Tokenizer tokenizer = folder.load({{"do_lowercase", true}});
  REQUIRE(tokenizer.notes().size() == 1);
  CHECK_THAT(tokenizer.notes()[0],
             ContainsSubstring("tokenizer_config.json: field \"do_lowercase\""));
  CHECK(folder.load({{"processor_class", "Wav2Vec2ProcessorWithLM"}}).notes().size() == 1);
}

TEST_CASE("of several languages' vocabularies target_lang names one") {
  const TemporaryFolder folder;
  write_json(folder / "vocab.json",
             {{"eng", {{"<pad>", 0}, {"A", 1}}}, {"deu", {{"<pad>", 0}, {"Ä", 1}}}});
  const auto load = [&](const json& config) {
    write_json(folder / "tokenizer_config.json", config);
    return Tokenizer::load(folder.path());
  };
  CHECK(load({{"target_lang", "deu"}}).decode(Ids{1}) == "Ä");
  CHECK_THAT(error_of([&] {
               load({{"target_lang", "fra"}});
             }),
             ContainsSubstring("several languages (\"deu\" is one)"));
  CHECK_THAT(error_of([&] { load(json::object()); }), ContainsSubstring("several languages"));
  write_json(folder / "vocab.json", {{"<pad>", 0}, {"A", 1}});
  CHECK_THAT(error_of([&] {
               load({{"target_lang", "deu"}});
             }),
             ContainsSubstring("names one of several"));
}

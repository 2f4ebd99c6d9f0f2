#include "io/text/tokenizer.h"

#include "io/files/json_file.h"
#include "io/text/unicode.h"
#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

nlohmann::json golden_cases() {
  const std::filesystem::path root = FLOWQAT_SOURCE_DIR;
  return read_json(root / "tests/golden/tokenizer.json").at("cases");
}

void check_answers(const Tokenizer& tokenizer, const nlohmann::json& expected) {
  INFO(expected.at("name"));
  CHECK(tokenizer.size() == expected.at("size"));
  CHECK(tokenizer.blank_id() == expected.at("blank"));
  for (const auto& row : expected.at("encode")) {
    INFO(row);
    CHECK(tokenizer.encode(row.at("text")) == row.at("ids").get<std::vector<int32_t>>());
  }
  for (const auto& row : expected.at("decode")) {
    INFO(row);
    CHECK(tokenizer.decode(row.at("ids").get<std::vector<int32_t>>()) == row.at("text"));
  }
}

}  // namespace

TEST_CASE("text and frames give what transformers gives, also after saving and loading") {
  const auto cases = golden_cases();
  CHECK(cases.size() >= 11);
  for (const auto& expected : cases) {
    TemporaryFolder folder, again;
    for (const auto& [name, content] : expected.at("files").items()) {
      write_json(folder / name, content);
    }
    const Tokenizer tokenizer = Tokenizer::load(folder.path());
    check_answers(tokenizer, expected);
    tokenizer.save(again.path());
    check_answers(Tokenizer::load(again.path()), expected);
  }
}

TEST_CASE("the built-in tokenizer is the published one of base-960h") {
  check_answers(Tokenizer::base_960h(), golden_cases().at(0));
  CHECK(Tokenizer::base_960h().tokens()[31] == "Z");
}

TEST_CASE("words come with the frames of their characters") {
  const Tokenizer tokenizer = Tokenizer::base_960h();
  const std::vector<int32_t> frames{0, 4, 7, 7, 0,  24, 0, 0,
                                    4, 0, 4, 4, 31, 31, 0};  // _|AA_B__|_||ZZ_
  const DecodedText decoded = tokenizer.decode_words(frames);
  CHECK(decoded.text == tokenizer.decode(frames));
  CHECK(decoded.text == "AB  Z");
  CHECK(decoded.words == std::vector<Word>{{"AB", 2, 6}, {"Z", 12, 14}});
  CHECK(tokenizer.decode_words({}).words.empty());
  CHECK(tokenizer.decode_words(std::vector<int32_t>{4, 0, 4}).words.empty());
}

TEST_CASE("characters outside the vocabulary are counted") {
  const Tokenizer tokenizer = Tokenizer::base_960h();
  CharacterCounts unknown;
  tokenizer.encode("HELLO", &unknown);
  CHECK(unknown.empty());
  CHECK(tokenizer.encode("A1é1<unk>", &unknown) == std::vector<int32_t>{7, 3, 3, 3, 3});
  CHECK(unknown == CharacterCounts{{"1", 2}, {"é", 1}});
  CHECK(tokenizer.has(U'A'));
  CHECK(tokenizer.has(U' '));
  for (const char32_t lacking : {U'a', U'1', U'é'}) CHECK_FALSE(tokenizer.has(lacking));
  CHECK(tokenizer.whole_token_at(U"<unk>A") == 5);
  CHECK(tokenizer.whole_token_at(U"A<unk>") == 0);
  CHECK_THAT(error_of([&] { tokenizer.encode("A\xff"); }),
             ContainsSubstring("byte 255 at offset 1"));
}

TEST_CASE("malformed tokenizer files are errors that name the file") {
  TemporaryFolder folder;
  const auto load = [&] { return error_of([&] { Tokenizer::load(folder.path()); }); };
  CHECK_THAT(load(), ContainsSubstring("vocab.json: cannot be opened"));
  const auto with = [&](const std::string& vocabulary) {
    write_bytes(folder / "vocab.json", vocabulary);
    return load();
  };
  CHECK_THAT(with("[]"), ContainsSubstring("expected a JSON object"));
  CHECK_THAT(with("{}"), ContainsSubstring("no token"));
  CHECK_THAT(with("{\"A\": -1}"), ContainsSubstring("\"A\": expected an id"));
  CHECK_THAT(with("{\"A\": \"0\"}"), ContainsSubstring("\"A\": expected an id"));
  CHECK_THAT(with("{\"A\": 0, \"B\": 0}"), ContainsSubstring("share id 0"));
  CHECK_THAT(with("{\"eng\": {\"A\": 0}}"), ContainsSubstring("several languages"));
  write_bytes(folder / "vocab.json", "{\"A\": 0}");
  write_bytes(folder / "tokenizer_config.json", "{\"pad_token\": null}");
  CHECK_THAT(load(), ContainsSubstring("\"pad_token\" is needed"));
  write_bytes(folder / "tokenizer_config.json", "{\"do_lower_case\": 1}");
  CHECK_THAT(load(), ContainsSubstring("tokenizer_config.json: \"do_lower_case\""));
  write_bytes(folder / "tokenizer_config.json", "{}");
  write_bytes(folder / "added_tokens.json", "{\"A\": 5}");
  CHECK_THAT(load(), ContainsSubstring("\"A\" has id 5 here and 0 in vocab.json"));
}

TEST_CASE("UTF-8 comes back as it was, and broken UTF-8 is refused") {
  for (const std::string text : {"", "abc", "é", "日本", "😀"})
    CHECK(to_utf8(from_utf8(text)) == text);
  for (const std::string text : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80",
                                 "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"}) {
    CHECK_THROWS_AS(from_utf8(text), Error);
  }
}

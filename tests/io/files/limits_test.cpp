/// What a file may ask for, of every reader here that takes JSON, sizes or paths from it.
#include "io/audio/audio_file.h"
#include "io/corpus/manifest.h"
#include "io/corpus/shard_paths.h"
#include "io/files/input_file.h"
#include "io/files/json_file.h"
#include "io/files/tar_file.h"
#include "io/tensors/safetensors.h"
#include "io/text/processor.h"
#include "io/text/tokenizer.h"
#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

const std::string kDeep = std::string(70000, '[') + std::string(70000, ']');

std::string safetensors(const std::string& header) {
  uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header;
}

}  // namespace

TEST_CASE("brackets and numbers beyond the limits are errors with file and place, of any reader") {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& name, const auto& read) {
    const auto path = folder / name;
    const bool is_weights = name.ends_with("safetensors"), is_lines = name.ends_with("jsonl");
    for (const std::string& value : {kDeep, std::string("1e400")}) {
      const std::string text = "{\"a\": " + value + "}";
      write_bytes(path, is_weights ? safetensors(text) : text);
      const std::string error = error_of([&] { read(); });
      INFO(error);
      CHECK_THAT(error, Catch::Matchers::StartsWith(path.string()));
      CHECK_THAT(error, ContainsSubstring("column "));
      if (!is_lines) CHECK_THAT(error, ContainsSubstring("line 1"));
      CHECK(error.size() < 1000);
    }
    std::filesystem::remove(path);
  };
  refused("any.json", [&] { read_json(folder / "any.json"); });
  refused("preprocessor_config.json", [&] { FeatureExtractor::load(folder.path()); });
  refused("model.safetensors.index.json", [&] { read_model_weights(folder.path()); });
  refused("model.safetensors", [&] { read_model_weights(folder.path()); });
  refused("lines.jsonl", [&] { scan_manifest(folder / "lines.jsonl", {}, 1); });
  refused("vocab.json", [&] { Tokenizer::load(folder.path()); });
  write_bytes(folder / "vocab.json", "{\"A\": 0}");
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"})
    refused(name, [&] { Tokenizer::load(folder.path()); });
}

TEST_CASE("whole numbers are never narrowed") {
  const nlohmann::json json{{"large", 4294967297}, {"small", -4294967297}, {"huge", UINT64_MAX}};
  const auto refusal = [&](const char* key, auto fallback) {
    return error_of([&] { value_or(json, key, fallback, "f.json"); });
  };
  CHECK(refusal("large", 1) ==
        "f.json: \"large\": expected an integer from -2147483648 to 2147483647, found 4294967297");
  CHECK_THAT(refusal("small", 1), ContainsSubstring("found -4294967297"));
  CHECK_THAT(refusal("huge", int64_t{1}), ContainsSubstring("found 18446744073709551615"));
  CHECK(value_or(json, "large", int64_t{1}, "f.json") == 4294967297);
}

TEST_CASE("an id beyond every vocabulary is refused before memory is asked for") {
  const TemporaryFolder folder;
  const auto load = [&] { return error_of([&] { Tokenizer::load(folder.path()); }); };
  for (const char* id : {"1073741824", "18446744073709551615", "-1", "1.5", "9e18"}) {
    write_bytes(folder / "vocab.json", std::string("{\"A\": 0, \"B\": ") + id + "}");
    CHECK_THAT(load(), ContainsSubstring("token \"B\": expected an id from 0 to 1000000"));
  }
  write_bytes(folder / "vocab.json", R"({"A": 0})");
  for (const char* id : {"1073741824", "0x1", "99999999999999999999", " 1", ""}) {
    write_bytes(folder / "tokenizer_config.json",
                std::string(R"({"added_tokens_decoder": {")") + id + R"(": {"content": "B"}}})");
    CHECK_THAT(load(), ContainsSubstring("tokenizer_config.json: token \""));
  }
}

TEST_CASE("a NUL in a path is refused, and ends no message") {
  const TemporaryFolder folder;
  const std::string path("a\0b.wav", 7);
  CHECK_THAT(error_of([&] { InputFile file(folder / path); }),
             ContainsSubstring("a\\0b.wav: cannot be opened: its name holds a NUL"));
  write_bytes(folder / "a", "x");
  write_bytes(folder / "m.jsonl", R"({"audio_filepath": "a\u0000b.wav", "text": "x"})");
  CHECK_THAT(scan_manifest(folder / "m.jsonl", {}, 1).entries.at(0).broken,
             ContainsSubstring("a NUL"));
  write_bytes(folder / "model.safetensors.index.json", R"({"weight_map": {"w": "a\u0000b"}})");
  CHECK_THAT(error_of([&] { read_model_weights(folder.path()); }),
             ContainsSubstring("expected the name of a file beside the index"));
}

TEST_CASE("messages quote no more of a file than a person reads") {
  const TemporaryFolder folder;
  const std::string long_text(3'000'000, 'x');
  write_bytes(folder / "vocab.json", "{\"" + long_text + "\": \"" + long_text + "\"}");
  CHECK(error_of([&] { Tokenizer::load(folder.path()); }).size() < 1000);
  write_bytes(folder / "vocab.json", "[\"" + long_text + "\"]");
  CHECK(error_of([&] { Tokenizer::load(folder.path()); }).size() < 1000);
  write_bytes(folder / "a.safetensors", safetensors("{\"" + long_text + "\": 3}"));
  CHECK(error_of([&] { read_safetensors(folder / "a.safetensors"); }).size() < 9000);
}

TEST_CASE("a pattern of braces within braces is refused") {
  std::string pattern;
  for (int i = 0; i < 40000; ++i) pattern += "{1..1}";
  CHECK_THAT(error_of([&] { expand_braces(pattern); }), ContainsSubstring("more than 100 braces"));
}

TEST_CASE("a pointer or a web page under a file's name is told as such, of any reader") {
  const TemporaryFolder folder;
  struct Kind {
    std::string content, told;
  };
  const Kind kinds[] = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull"},
      {"<!DOCTYPE html>\n<html><body>Not found</body></html>\n", "web page"}};
  for (const auto& [content, told] : kinds) {
    for (const char* name : {"a.wav", "a.flac", "a.mp3", "a.tar", "a.safetensors", "a.json"})
      write_bytes(folder / name, content);
    for (const char* name : {"a.wav", "a.flac", "a.mp3"})
      CHECK_THAT(error_of([&] { read_audio_info({folder / name}); }), ContainsSubstring(told));
    CHECK_THAT(error_of([&] { TarFile(folder / "a.tar").next(); }), ContainsSubstring(told));
    CHECK_THAT(error_of([&] { read_safetensors(folder / "a.safetensors"); }),
               ContainsSubstring(told));
    CHECK_THAT(error_of([&] { read_json(folder / "a.json"); }), ContainsSubstring(told));
  }
}

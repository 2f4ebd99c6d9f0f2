/// Tokenizers from and to the files of a Hugging Face folder.
#include <array>
#include <charconv>

#include "io/files/error.h"
#include "io/files/json_file.h"
#include "io/text/tokenizer.h"
#include "io/text/tokenizer_fields.h"
#include "io/text/unicode.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A special token is written as a string or as an AddedToken object, or as null where there is
/// none.
std::string special_token(const json& object, const char* key, const std::string& fallback,
                          const fs::path& origin) {
  const auto found = object.find(key);
  if (found == object.end()) return fallback;
  if (found->is_null()) return "";
  if (found->is_object()) return value_or(*found, "content", std::string(), origin);
  return value_or(object, key, fallback, origin);
}

/// The whole number that a key is; null if it is none.
json number_of(const std::string& key) {
  int64_t number = 0;
  const auto [end, code] = std::from_chars(key.data(), key.data() + key.size(), number);
  return code == std::errc() && end == key.data() + key.size() ? json(number) : json();
}

json read_object(const fs::path& path) {
  json object = read_json(path);
  if (!object.is_object()) throw Error(path, "expected a JSON object, found " + shown(object));
  return object;
}

/// Tokens are kept by id: one id beyond all vocabularies would take memory for all below it.
constexpr int32_t largest_id = 1'000'000;

int32_t token_id(const json& value, const std::string& token, const fs::path& origin) {
  if (!value.is_number_integer() || value < 0 || value > largest_id) {
    throw Error(origin, "token " + shown(json(token)) + ": expected an id from 0 to " +
                            std::to_string(largest_id) + ", found " + shown(value));
  }
  return value.get<int32_t>();
}

}  // namespace

Tokenizer Tokenizer::base_960h() {
  constexpr std::array tokens{"<pad>", "<s>", "</s>", "<unk>", "|", "E", "T", "A", "O", "N", "I",
                              "H",     "S",   "R",    "D",     "L", "U", "M", "W", "C", "F", "G",
                              "Y",     "P",   "B",    "V",     "K", "'", "X", "J", "Q", "Z"};
  Tokenizer tokenizer;
  int32_t id = 0;
  for (const char* token : tokens) tokenizer.vocabulary_[token] = id++;
  tokenizer.finish("base-960h");
  return tokenizer;
}

Tokenizer Tokenizer::of_characters(const std::vector<std::string>& characters) {
  Tokenizer tokenizer;
  int32_t id = 0;
  for (const char* token : {"<pad>", "<s>", "</s>", "<unk>", "|"}) {
    tokenizer.vocabulary_[token] = id++;
  }
  for (const std::string& token : characters) tokenizer.vocabulary_[token] = id++;
  tokenizer.finish("vocabulary");
  return tokenizer;
}

Tokenizer Tokenizer::load(const fs::path& folder) {
  Tokenizer tokenizer;
  const fs::path path = folder / "vocab.json", config_path = folder / "tokenizer_config.json";
  const json content = read_object(path);
  const json config = fs::exists(config_path) ? read_object(config_path) : json::object();
  tokenizer.kind_ = tokenizer_kind(config, folder);
  tokenizer.notes_ = check_tokenizer_fields(config, config_path);
  for (const auto& [token, id] : one_language(content, config, path).items()) {
    if (token.empty()) throw Error(path, "holds an empty token; remove it");
    tokenizer.vocabulary_[token] = token_id(id, token, path);
  }
  if (tokenizer.vocabulary_.empty()) throw Error(path, "holds no token");
  tokenizer.read_config(config, folder);
  tokenizer.finish(path);
  tokenizer.check_known(config, config_path);
  return tokenizer;
}

void Tokenizer::read_special_tokens(const json& object, const fs::path& origin) {
  begin_ = special_token(object, "bos_token", begin_, origin);
  end_ = special_token(object, "eos_token", end_, origin);
  unknown_ = special_token(object, "unk_token", unknown_, origin);
  pad_ = special_token(object, "pad_token", pad_, origin);
  delimiter_ = special_token(object, "word_delimiter_token", delimiter_, origin);
  for (const auto& [token, key] : {std::pair(&unknown_, "unk_token"), {&pad_, "pad_token"}}) {
    if (token->empty()) throw Error(origin, std::string("\"") + key + "\" is needed, found none");
  }
}

void Tokenizer::read_config(const json& config, const fs::path& folder) {
  fs::path path = folder / "tokenizer_config.json";
  const bool is_phonemes = kind_ == TokenizerKind::phonemes;
  if (is_phonemes) delimiter_.clear();  // where the file names none
  read_special_tokens(config, path);
  delimiter_text_ = value_or(config, "replace_word_delimiter_char", delimiter_text_, path);
  // The class for phonemes knows no case.
  lower_case_ = value_or(config, "do_lower_case", lower_case_, path) && !is_phonemes;
  clean_up_ = value_or(config, "clean_up_tokenization_spaces", clean_up_, path);
  phonemizes_ = value_or(config, "do_phonemize", phonemizes_, path);
  phone_delimiter_ = value_or(config, "phone_delimiter_token", phone_delimiter_, path);
  phonemizer_ = value_or(config, "phonemizer_backend", phonemizer_, path);
  phonemizer_language_ = value_or(config, "phonemizer_lang", phonemizer_language_, path);
  if (is_phonemes && phonemizes_) {
    notes_.push_back(path.string() +
                     ": transcripts must be phonemes with spaces between them; words are not made "
                     "phonemes of here, as \"do_phonemize\" has transformers do");
  }
  const auto decoder = config.find("added_tokens_decoder");
  if (decoder != config.end() && decoder->is_object()) {
    read_added_tokens_decoder(*decoder, path);
    return;  // then transformers does not look at the older files either
  }
  path = folder / "special_tokens_map.json";
  if (fs::exists(path)) {
    const json map = read_object(path);
    read_special_tokens(map, path);
    check_known(map, path);
  }
  read_added_tokens(folder);
}

void Tokenizer::read_added_tokens_decoder(const json& decoder, const fs::path& path) {
  for (const auto& [id, token] : decoder.items()) {
    if (!token.is_object()) {
      throw Error(path,
                  "added token " + shown(json(id)) + ": expected an object, found " + shown(token));
    }
    if (value_or(token, "single_word", false, path)) {
      throw Error(path,
                  "added token " + shown(json(id)) +
                      ": \"single_word\" is true: a token that is found only as a word of its "
                      "own, which this program does not know; only false is accepted");
    }
    add_token(value_or(token, "content", std::string(), path), token_id(number_of(id), id, path),
              value_or(token, "lstrip", false, path), value_or(token, "rstrip", false, path), path);
  }
}

/// Transformers would number tokens without an id behind all others.
void Tokenizer::check_known(const json& config, const fs::path& path) const {
  for (const auto& [key, token] : other_special_tokens(config, path)) {
    if (vocabulary_.contains(token) || added_.contains(token)) continue;
    throw Error(path, "\"" + key + "\": token " + shown(json(token)) +
                          " has no id in vocab.json or \"added_tokens_decoder\"; give it one or "
                          "remove it");
  }
}

void Tokenizer::read_added_tokens(const fs::path& folder) {
  const fs::path path = folder / "added_tokens.json";
  if (!fs::exists(path)) return;
  const json added = read_object(path);
  for (const auto& [token, id] : added.items()) {
    add_token(token, token_id(id, token, path), false, false, path);
  }
}

void Tokenizer::add_token(const std::string& text, int64_t id, bool strip_left, bool strip_right,
                          const fs::path& origin) {
  if (text.empty()) throw Error(origin, "added token " + std::to_string(id) + " has no text");
  const auto known = vocabulary_.find(text);
  if (known != vocabulary_.end() && known->second != id) {
    throw Error(origin, "token \"" + text + "\" has id " + std::to_string(id) + " here and " +
                            std::to_string(known->second) + " in vocab.json");
  }
  added_[text] = {from_utf8(text), static_cast<int32_t>(id), strip_left, strip_right};
}

void Tokenizer::save(const fs::path& folder) const {
  const auto or_null = [](const std::string& token) {
    return token.empty() ? json() : json(token);
  };
  const json specials{{"bos_token", or_null(begin_)},
                      {"eos_token", or_null(end_)},
                      {"unk_token", unknown_},
                      {"pad_token", pad_}};
  json config = specials;
  config["tokenizer_class"] = tokenizer_class(kind_);
  config["processor_class"] = "Wav2Vec2Processor";
  config["word_delimiter_token"] = or_null(delimiter_);
  if (kind_ == TokenizerKind::phonemes) {
    config["phone_delimiter_token"] = phone_delimiter_;
    config["do_phonemize"] = phonemizes_;
    config["phonemizer_lang"] = phonemizer_language_;
    config["phonemizer_backend"] = phonemizer_;
  } else {
    config["replace_word_delimiter_char"] = delimiter_text_;
    config["do_lower_case"] = lower_case_;
  }
  config["clean_up_tokenization_spaces"] = clean_up_;
  for (const auto& [text, whole] : added_) {
    if (vocabulary_.contains(text)) continue;
    config["added_tokens_decoder"][std::to_string(whole.id)] = {
        {"content", text},      {"lstrip", whole.strip_left}, {"rstrip", whole.strip_right},
        {"single_word", false}, {"normalized", false},        {"special", true}};
  }
  json map = json::object();
  for (const auto& [key, token] : specials.items()) {
    if (!token.is_null()) map[key] = token;
  }
  write_json(folder / "vocab.json", vocabulary_);
  write_json(folder / "tokenizer_config.json", config);
  write_json(folder / "special_tokens_map.json", map);
}

}  // namespace flowqat::io

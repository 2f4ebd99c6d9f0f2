#include "io/text/tokenizer_fields.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "io/files/error.h"
#include "io/files/json_file.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// The first of each is the name that is saved; the last one is that of transformers 4.6 and older.
constexpr std::pair<std::string_view, TokenizerKind> kClasses[] = {
    {"Wav2Vec2CTCTokenizer", TokenizerKind::characters},
    {"Wav2Vec2PhonemeCTCTokenizer", TokenizerKind::phonemes},
    {"Wav2Vec2Tokenizer", TokenizerKind::characters},
};

/// Read by Tokenizer::load and by the functions here.
constexpr std::string_view kHonoured[] = {
    "added_tokens_decoder",
    "additional_special_tokens",
    "bos_token",
    "clean_up_tokenization_spaces",
    "cls_token",
    "do_lower_case",
    "do_phonemize",
    "eos_token",
    "extra_special_tokens",
    "mask_token",
    "pad_token",
    "phone_delimiter_token",
    "phonemizer_backend",
    "phonemizer_lang",
    "processor_class",
    "replace_word_delimiter_char",
    "sep_token",
    "target_lang",
    "tokenizer_class",
    "unk_token",
    "word_delimiter_token",
};

/// Of every transformers tokenizer: provenance, and how batches of texts are padded and cut. None
/// changes what a CTC tokenizer makes of a text or of frames.
constexpr std::string_view kGeneric[] = {
    "_commit_hash",
    "add_bos_token",
    "add_eos_token",
    "add_prefix_space",
    "backend",
    "chat_template",
    "is_local",
    "local_files_only",
    "max_len",
    "model_input_names",
    "model_max_length",
    "model_specific_special_tokens",
    "name_or_path",
    "pad_token_type_id",
    "padding_side",
    "spaces_between_special_tokens",
    "special_tokens_map_file",
    "special_tokens_pattern",
    "token",
    "tokenizer_file",
    "truncation_side",
    "use_fast",
    "verbose",
    "vocab_file",
};

/// Of the feature extractor, which the first versions' tokenizer was too; it has files of its own.
constexpr std::string_view kOfExtractor[] = {"do_normalize", "return_attention_mask"};

struct Refused {
  const char* field;
  const char* reason;
  const char* accepted;
};
constexpr Refused kRefused[] = {
    {"auto_map", "a tokenizer that is a program of its own", "null or {}"},
    {"split_special_tokens", "special tokens in a text that are spelled out", "false"},
};

bool is_off(const json& value) {
  return value.is_null() || value == false || (value.is_object() && value.empty());
}

template <size_t Count>
bool holds(const std::string_view (&list)[Count], std::string_view name) {
  return std::ranges::find(list, name) != std::end(list);
}

/// A token that is written as a text or as an AddedToken; none for null.
std::string token_text(const json& token, const std::string& key, const fs::path& path) {
  if (token.is_null()) return "";
  if (token.is_object()) return value_or(token, "content", std::string(), path);
  if (token.is_string()) return token.get<std::string>();
  throw Error(path, "\"" + key + "\": expected a token, found " + shown(token));
}

}  // namespace

TokenizerKind tokenizer_kind(const json& config, const fs::path& folder) {
  fs::path path = folder / "tokenizer_config.json";
  std::string name = value_or(config, "tokenizer_class", std::string(), path);
  if (name.empty() && fs::exists(folder / "config.json")) {
    path = folder / "config.json";
    const json model = read_json(path);
    if (model.is_object()) name = value_or(model, "tokenizer_class", std::string(), path);
  }
  if (name.empty()) return TokenizerKind::characters;
  const auto* known =
      std::ranges::find(kClasses, name, &std::pair<std::string_view, TokenizerKind>::first);
  if (known != std::end(kClasses)) return known->second;
  throw Error(path, "\"tokenizer_class\": " + shown(json(name)) +
                        " is not read here; only Wav2Vec2CTCTokenizer and "
                        "Wav2Vec2PhonemeCTCTokenizer are");
}

std::string tokenizer_class(TokenizerKind kind) {
  const auto* known =
      std::ranges::find(kClasses, kind, &std::pair<std::string_view, TokenizerKind>::second);
  return std::string(known->first);
}

const json& one_language(const json& vocabulary, const json& config, const fs::path& path) {
  const std::string language =
      value_or(config, "target_lang", std::string(), path.parent_path() / "tokenizer_config.json");
  const auto nested = std::find_if(vocabulary.begin(), vocabulary.end(),
                                   [](const json& value) { return value.is_object(); });
  if (nested == vocabulary.end()) {
    if (language.empty()) return vocabulary;
    throw Error(path,
                "holds the vocabulary of one language, but \"target_lang\" of "
                "tokenizer_config.json, " +
                    shown(json(language)) + ", names one of several; remove that field");
  }
  const auto found = vocabulary.find(language);
  if (!language.empty() && found != vocabulary.end() && found->is_object()) return *found;
  throw Error(path, "holds a vocabulary for each of several languages (" +
                        shown(json(nested.key())) +
                        " is one); name one as \"target_lang\" in tokenizer_config.json, or keep "
                        "the object of one language only");
}

std::vector<std::string> check_tokenizer_fields(const json& config, const fs::path& path) {
  std::vector<std::string> notes;
  for (const Refused& refused : kRefused) {
    const auto found = config.find(refused.field);
    if (found == config.end() || is_off(*found)) continue;
    throw Error(path, std::string("field \"") + refused.field + "\" is " + shown(*found) + ": " +
                          refused.reason + ", which this program does not know; only " +
                          refused.accepted + " is accepted");
  }
  for (const auto& [name, value] : config.items()) {
    if (holds(kHonoured, name) || holds(kGeneric, name) || holds(kOfExtractor, name) ||
        std::ranges::find(kRefused, name, &Refused::field) != std::end(kRefused)) {
      continue;
    }
    notes.push_back(path.string() + ": field " + shown(json(name)) +
                    " is none of a CTC tokenizer's and changes nothing");
  }
  if (value_or(config, "processor_class", std::string(), path) == "Wav2Vec2ProcessorWithLM") {
    notes.push_back(path.string() +
                    ": \"processor_class\" is Wav2Vec2ProcessorWithLM; texts are what the model "
                    "alone hears, without the language model that transformers adds");
  }
  return notes;
}

std::vector<std::pair<std::string, std::string>> other_special_tokens(const json& config,
                                                                      const fs::path& path) {
  std::vector<std::pair<std::string, std::string>> tokens;
  const auto add = [&](const std::string& key, const json& token) {
    if (std::string text = token_text(token, key, path); !text.empty()) {
      tokens.emplace_back(key, std::move(text));
    }
  };
  for (const char* key : {"sep_token", "cls_token", "mask_token"}) {
    if (const auto found = config.find(key); found != config.end()) add(key, *found);
  }
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
    const auto list = config.find(key);
    if (list == config.end() || list->is_null()) continue;
    if (!list->is_array() && !list->is_object()) {
      throw Error(path, std::string("\"") + key + "\": expected tokens, found " + shown(*list));
    }
    for (const json& token : *list) add(key, token);
  }
  return tokens;
}

}  // namespace flowqat::io

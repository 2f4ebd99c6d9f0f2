/// What tokenizer_config.json may hold beside the tokens: each field is honoured, refused, or means
/// nothing to a CTC tokenizer.
#pragma once
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "io/text/tokenizer.h"

namespace flowqat::io {

/// By "tokenizer_class" of `config`, the content of tokenizer_config.json, or where there is none
/// of the config.json in `folder`, as transformers looks for it. Throws Error naming file and class
/// for one that is not read here.
TokenizerKind tokenizer_kind(const nlohmann::json& config, const std::filesystem::path& folder);
/// The name of the class, as files have it.
std::string tokenizer_class(TokenizerKind kind);

/// Of vocab.json's content the object of one language: "target_lang" of `config` where there are
/// several. Throws Error naming `path` where that does not say which.
const nlohmann::json& one_language(const nlohmann::json& vocabulary, const nlohmann::json& config,
                                   const std::filesystem::path& path);

/// Throws Error naming `path` for a field whose value would make another tokenizer of it, with the
/// reason and the value that is accepted. Returns notes: a sentence for each field that changes
/// nothing and that no version of transformers has, and for what is not done here.
std::vector<std::string> check_tokenizer_fields(const nlohmann::json& config,
                                                const std::filesystem::path& path);

/// The tokens under sep_token, cls_token, mask_token and the lists of additional ones, with the key
/// that names each.
std::vector<std::pair<std::string, std::string>> other_special_tokens(
    const nlohmann::json& config, const std::filesystem::path& path);

}  // namespace flowqat::io

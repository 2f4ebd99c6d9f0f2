/// The cache of models from the Hugging Face Hub that huggingface_hub and transformers use too:
/// models--ORG--NAME/{blobs/HASH, refs/REVISION, snapshots/COMMIT/FILE -> ../../blobs/HASH,
/// .no_exist/COMMIT/FILE}, the last for files that are known to be in no such commit.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace flowqat::io {

struct HubModel {
  std::string id = {};            ///< ORG/NAME
  std::string revision = "main";  ///< a branch, a tag, refs/pr/N, or a commit
};

/// Whether `text` has the form ORG/NAME of a model's id.
bool is_hub_id(const std::string& text);
/// Whether `text` looks like a path on this machine, so that it is no model's id even where nothing
/// is there: it begins with "/", "./", "../" or "~", ends in "/", has more than one "/", or the
/// first of its folders exists.
bool looks_like_path(const std::string& text);
/// Whether `text` can be a revision's name.
bool is_hub_revision(const std::string& text);
/// 40 hexadecimal digits.
bool is_hub_commit(const std::string& text);

/// $HF_HUB_CACHE, or hub/ in $HF_HOME, or in $XDG_CACHE_HOME/huggingface, or in
/// ~/.cache/huggingface. Throws Error where none of these variables is set.
std::filesystem::path hub_cache_folder();
/// HF_HUB_OFFLINE (or TRANSFORMERS_OFFLINE) is set: nothing is to be asked of the network.
bool hub_offline();
/// $HF_ENDPOINT without a slash at its end, or https://huggingface.co.
std::string hub_endpoint();
/// $HF_TOKEN, or what is in $HF_TOKEN_PATH or $HF_HOME/token; empty: none.
std::string hub_token();

/// The model's own folder in the cache.
std::filesystem::path hub_model_folder(const std::string& id);

/// The files beside the weights that may matter to a wav2vec2 CTC model.
const std::vector<std::string>& hub_file_names();

/// The snapshot of the model's revision if the cache has its configuration and its weights, and
/// for its vocabulary and its processor either the file or the knowledge that there is none
/// (offline, only the first two). The weights are those of read_model_weights().
std::optional<std::filesystem::path> find_in_hub_cache(const HubModel& model);

}  // namespace flowqat::io

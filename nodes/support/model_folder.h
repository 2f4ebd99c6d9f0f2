/// A Hugging Face model folder, float or int8, as one thing.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/tensors/safetensors.h"
#include "nodes/support/model_step.h"

namespace flowqat::nodes {

/// config.json, vocabulary and processor files of a folder, without its weights.
struct ModelDescription {
  model::Config config;
  std::shared_ptr<const io::Tokenizer> tokenizer;
  io::FeatureExtractor extractor;
  /// The tokens are not those of the folder's own vocabulary: its head means other characters.
  bool has_other_tokens = false;
  std::vector<std::string> notes;  ///< what the user should hear, a sentence each
};

/// Needs no LibTorch. A folder without vocab.json has base-960h's 32 characters; `vocabulary`,
/// where given, takes the place of the folder's own. Throws io::Error or model::Error naming the
/// file.
ModelDescription read_description(const std::filesystem::path& folder,
                                  std::shared_ptr<const io::Tokenizer> vocabulary = nullptr);

/// That the head has more tokens than the vocabulary, for messages.
std::string small_vocabulary(const model::Config& config, const io::Tokenizer& tokenizer);
/// That training and decoding would take different tokens for the blank, for messages.
std::string two_blanks(const model::Config& config, const io::Tokenizer& tokenizer);

/// Of a model whose head is to be drawn, and so means what the vocabulary says.
void take_blank_of_vocabulary(ModelDescription& description);

/// wav2vec2-base's: what a graph is checked with while its model must still be fetched.
ModelDescription base_description(std::shared_ptr<const io::Tokenizer> vocabulary);

/// What the folder's model is quantized to, by the files that it holds.
Stage stage_of(const std::filesystem::path& folder);

/// How a fake-quantized folder's model is quantized; none for others. Throws io::Error naming the
/// file.
std::optional<model::Policy> policy_of(const std::filesystem::path& folder);

/// The weights of a folder, and what makes them more than a float model's.
struct ModelFiles {
  model::Tensors tensors;
  nlohmann::json quantization;  ///< null, or the content of `quantization_file`
  std::filesystem::path quantization_file;
  std::vector<std::string> notes;  ///< what the user should hear of the tensors
  Stage stage = Stage::float32;
};

/// Whether a model node draws the folder's head anew: it has none, or one for another number of
/// tokens. Throws io::Error naming the file.
bool draws_head(const std::filesystem::path& folder, const model::Config& config);

/// Needs no LibTorch. Throws io::Error naming the file.
ModelFiles read_files(const std::filesystem::path& folder);

/// Loads the weights too: a float folder, one with fake_quantization.json, or an int8 one with
/// quantization.json. Says on the way, in the description's notes, what it left out or drew.
ModelState load_model(const std::filesystem::path& folder, ModelDescription& description,
                      const model::LoadOptions& options = {});
ModelState load_model(const std::filesystem::path& folder);

/// Writes weights, configuration, processor and, for a quantized model, its quantization into an
/// existing folder. `transformers` loads what a float or fake-quantized model leaves.
void save_model(const ModelState& state, const std::filesystem::path& folder);

/// The size of the weights file that save_model() would write.
int64_t weights_bytes(const model::Model& model);

/// For tensors that the model's face and files share.
model::Tensors to_model_tensors(const std::vector<io::Tensor>& tensors);
std::vector<io::Tensor> to_io_tensors(const model::Tensors& tensors);

}  // namespace flowqat::nodes

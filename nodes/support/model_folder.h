/// A Hugging Face model folder, float or int8, as one thing.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "nodes/support/model_step.h"
#include "recognizer/model_description.h"
#include "recognizer/model_weights.h"

namespace flowqat::nodes {

using recognizer::base_description;
using recognizer::ModelDescription;
using recognizer::read_description;
using recognizer::small_vocabulary;
using recognizer::take_blank_of_vocabulary;
using recognizer::to_io_tensors;
using recognizer::to_model_tensors;
using recognizer::two_blanks;

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

}  // namespace flowqat::nodes

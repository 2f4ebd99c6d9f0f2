#include "nodes/support/model_folder.h"

#include <algorithm>
#include <utility>

#include "io/files/error.h"
#include "io/files/json_file.h"
#include "io/tensors/safetensors.h"
#include "recognizer/model_weights.h"

namespace flowqat::nodes {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFakeFile = "fake_quantization.json";

}  // namespace

Stage stage_of(const fs::path& folder) {
  if (fs::exists(folder / recognizer::int8_file)) return Stage::int8;
  return fs::exists(folder / kFakeFile) ? Stage::fake_quantized : Stage::float32;
}

std::optional<model::Policy> policy_of(const fs::path& folder) {
  if (stage_of(folder) != Stage::fake_quantized) return std::nullopt;
  const fs::path file = folder / kFakeFile;
  const nlohmann::json quantization = io::read_json(file);
  if (!quantization.is_object() ||
      io::value_or(quantization, "format", std::string(), file) != model::kFakeFormat ||
      !quantization.contains("policy")) {
    throw io::Error(file, std::string("expected an object with \"format\": \"") +
                              model::kFakeFormat + "\" and a \"policy\"");
  }
  try {
    return model::policy_from_json(quantization.at("policy"), file.string() + ": policy");
  } catch (const model::Error& error) {
    throw io::Error(error.what());
  }
}

ModelState load_model(const fs::path& folder) {
  ModelDescription description = read_description(folder);
  return load_model(folder, description);
}

bool draws_head(const fs::path& folder, const model::Config& config) {
  const ModelFiles files = read_files(folder);
  if (files.stage != Stage::float32) return false;
  const auto head = std::ranges::find(files.tensors, "lm_head.weight", &model::Tensor::name);
  return head == files.tensors.end() || head->shape.empty() || head->shape[0] != config.vocab_size;
}

ModelFiles read_files(const fs::path& folder) {
  ModelFiles files;
  files.tensors = recognizer::read_weights(folder, files.notes);
  files.stage = stage_of(folder);
  if (files.stage != Stage::float32) {
    files.quantization_file =
        folder / (files.stage == Stage::int8 ? recognizer::int8_file : kFakeFile);
    files.quantization = io::read_json(files.quantization_file);
  }
  return files;
}

ModelState load_model(const fs::path& folder, ModelDescription& description,
                      const model::LoadOptions& options) {
  const ModelFiles files = read_files(folder);
  try {
    std::vector<std::string> notes = files.notes;
    ModelState state{.model = model::engine().load(description.config, files.tensors,
                                                   files.quantization, options, &notes),
                     .tokenizer = description.tokenizer,
                     .extractor = description.extractor,
                     .stage = files.stage};
    for (const std::string& note : notes) {
      description.notes.push_back(folder.string() + ": " + note);
    }
    return state;
  } catch (const model::Error& error) {
    throw io::Error(folder.string() + ": " + error.what());
  }
}

void save_model(const ModelState& state, const fs::path& folder) {
  const model::Model& model = *state.model;
  const model::Tensors tensors = model.tensors();
  const bool has_mask_embedding = std::ranges::any_of(
      tensors, [](const model::Tensor& t) { return t.name == "wav2vec2.masked_spec_embed"; });
  io::write_safetensors(folder / "model.safetensors", to_io_tensors(tensors));
  io::write_json(folder / "config.json", model.config().saved_json(has_mask_embedding));
  state.tokenizer->save(folder);
  state.extractor.save(folder);
  if (model.precision() == model::Precision::float32) return;
  io::write_json(
      folder / (model.precision() == model::Precision::int8 ? recognizer::int8_file : kFakeFile),
      model.quantization());
}

int64_t weights_bytes(const model::Model& model) {
  return io::safetensors_bytes(to_io_tensors(model.tensors()));
}

}  // namespace flowqat::nodes

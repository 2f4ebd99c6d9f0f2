#include "nodes/model_folder.h"

#include "io/error.h"
#include "io/json_file.h"
#include "io/safetensors.h"

namespace flowqat::nodes {
namespace fs = std::filesystem;
namespace {

constexpr const char* kInt8File = "quantization.json";
constexpr const char* kFakeFile = "fake_quantization.json";

template <class To, class From>
std::vector<To> converted(const std::vector<From>& tensors) {
  std::vector<To> result;
  result.reserve(tensors.size());
  for (const From& tensor : tensors) {
    result.push_back({tensor.name, tensor.dtype, tensor.shape, tensor.bytes, tensor.owner});
  }
  return result;
}

}  // namespace

model::Tensors to_model_tensors(const std::vector<io::Tensor>& tensors) {
  return converted<model::Tensor>(tensors);
}

std::vector<io::Tensor> to_io_tensors(const model::Tensors& tensors) {
  return converted<io::Tensor>(tensors);
}

ModelDescription read_description(const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    throw io::Error(folder.string() +
                    ": no such folder; a Hugging Face wav2vec2 folder is expected, "
                    "with config.json in it");
  }
  ModelDescription description{.config = model::Config::from_file(folder / "config.json"),
                               .tokenizer = {},
                               .extractor = io::FeatureExtractor::load(folder)};
  description.tokenizer = std::make_shared<io::Tokenizer>(
      fs::exists(folder / "vocab.json") ? io::Tokenizer::load(folder) : io::Tokenizer::base_960h());
  description.config.attention_mask = description.extractor.return_attention_mask;
  if (description.tokenizer->size() < description.config.vocab_size) {
    throw io::Error(folder.string() + ": config.json has vocab_size " +
                    std::to_string(description.config.vocab_size) +
                    ", but the vocabulary holds only " +
                    std::to_string(description.tokenizer->size()) + " tokens");
  }
  return description;
}

ModelState load_model(const fs::path& folder) {
  const ModelDescription description = read_description(folder);
  const std::vector<io::Tensor> weights = io::read_model_weights(folder);
  nlohmann::json quantization;
  Stage stage = Stage::float32;
  if (fs::exists(folder / kInt8File)) {
    quantization = io::read_json(folder / kInt8File);
    stage = Stage::int8;
  } else if (fs::exists(folder / kFakeFile)) {
    quantization = io::read_json(folder / kFakeFile);
    stage = Stage::fake_quantized;
  }
  try {
    return {
        .model = model::engine().load(description.config, to_model_tensors(weights), quantization),
        .tokenizer = description.tokenizer,
        .extractor = description.extractor,
        .stage = stage};
  } catch (const model::Error& error) {
    throw io::Error(folder.string() + ": " + error.what());
  }
}

void save_model(const ModelState& state, const fs::path& folder) {
  const model::Model& model = *state.model;
  io::write_safetensors(folder / "model.safetensors", to_io_tensors(model.tensors()));
  io::write_json(folder / "config.json", model.config().source);
  state.tokenizer->save(folder);
  state.extractor.save(folder);
  if (model.precision() == model::Precision::float32) return;
  io::write_json(folder / (model.precision() == model::Precision::int8 ? kInt8File : kFakeFile),
                 model.quantization());
}

int64_t weights_bytes(const model::Model& model) {
  return io::safetensors_bytes(to_io_tensors(model.tensors()));
}

}  // namespace flowqat::nodes

#include "nodes/support/model_folder.h"

#include <algorithm>
#include <utility>

#include "io/files/error.h"
#include "io/files/json_file.h"
#include "io/tensors/safetensors.h"
#include "model/weight_names.h"

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

/// Puts another vocabulary in the place of the folder's own.
void use_vocabulary(ModelDescription& description,
                    std::shared_ptr<const io::Tokenizer> vocabulary) {
  const io::Tokenizer& own = *description.tokenizer;
  description.has_other_tokens =
      vocabulary->tokens() != own.tokens() || vocabulary->blank_id() != own.blank_id();
  if (description.has_other_tokens || vocabulary->size() < description.config.vocab_size) {
    description.config =
        description.config.with_vocabulary(vocabulary->size(), vocabulary->blank_id());
  }
  description.tokenizer = std::move(vocabulary);
}

}  // namespace

model::Tensors to_model_tensors(const std::vector<io::Tensor>& tensors) {
  return converted<model::Tensor>(tensors);
}

std::vector<io::Tensor> to_io_tensors(const model::Tensors& tensors) {
  return converted<io::Tensor>(tensors);
}

std::string small_vocabulary(const model::Config& config, const io::Tokenizer& tokenizer) {
  return "config.json has vocab_size " + std::to_string(config.vocab_size) +
         ", but the vocabulary holds only " + std::to_string(tokenizer.size()) + " tokens";
}

std::string two_blanks(const model::Config& config, const io::Tokenizer& tokenizer) {
  const auto named = [&](int64_t id) {
    const bool is_known = id < tokenizer.size();
    return std::to_string(id) +
           (is_known ? " (\"" + tokenizer.tokens()[static_cast<size_t>(id)] + "\")" : "");
  };
  return "config.json has pad_token_id " + named(config.pad_token_id) +
         ", which is the CTC blank in training, but the vocabulary's pad token, which decoding "
         "leaves out, is " +
         named(tokenizer.blank_id());
}

void take_blank_of_vocabulary(ModelDescription& description) {
  const io::Tokenizer& tokenizer = *description.tokenizer;
  if (description.config.pad_token_id == tokenizer.blank_id()) return;
  std::erase(description.notes, two_blanks(description.config, tokenizer));
  description.notes.push_back("the head is new: its CTC blank is the vocabulary's pad token, " +
                              std::to_string(tokenizer.blank_id()) +
                              ", not config.json's pad_token_id, " +
                              std::to_string(description.config.pad_token_id));
  description.config =
      description.config.with_vocabulary(description.config.vocab_size, tokenizer.blank_id());
}

ModelDescription read_description(const fs::path& folder,
                                  std::shared_ptr<const io::Tokenizer> vocabulary) {
  if (!fs::is_directory(folder)) {
    throw io::Error(folder.string() +
                    ": no such folder; a Hugging Face wav2vec2 folder is expected, "
                    "with config.json in it");
  }
  ModelDescription description;
  if (!fs::exists(folder / "config.json") && fs::exists(folder / "adapter_config.json")) {
    io::read_model_weights(folder);  // says what an adapter is
  }
  description.config = model::Config::from_file(folder / "config.json");
  description.extractor = io::FeatureExtractor::load(folder);
  description.config.attention_mask = description.extractor.return_attention_mask;
  for (const std::string& field : description.config.unknown_fields) {
    description.notes.push_back((folder / "config.json").string() + ": field \"" + field +
                                "\" is none of wav2vec2's and changes nothing");
  }
  const bool has_own = fs::exists(folder / "vocab.json");
  description.tokenizer = std::make_shared<io::Tokenizer>(has_own ? io::Tokenizer::load(folder)
                                                                  : io::Tokenizer::base_960h());
  if (vocabulary) {
    use_vocabulary(description, std::move(vocabulary));
  } else if (!has_own) {
    description.notes.push_back(folder.string() +
                                ": no vocab.json, so its tokens are wav2vec2-base-960h's");
  }
  for (const std::string& note : description.tokenizer->notes()) description.notes.push_back(note);
  const io::Tokenizer& tokenizer = *description.tokenizer;
  if (tokenizer.size() < description.config.vocab_size) {
    description.notes.push_back(
        folder.string() + ": " + small_vocabulary(description.config, tokenizer) +
        "; what it says with the others reads \"" +
        tokenizer.tokens()[static_cast<size_t>(tokenizer.unknown_id())] + "\"");
  }
  if (description.config.pad_token_id != tokenizer.blank_id()) {
    description.notes.push_back(two_blanks(description.config, tokenizer));
  }
  return description;
}

ModelDescription base_description(std::shared_ptr<const io::Tokenizer> vocabulary) {
  ModelDescription description;
  description.tokenizer = std::make_shared<io::Tokenizer>(io::Tokenizer::base_960h());
  if (vocabulary) use_vocabulary(description, std::move(vocabulary));
  return description;
}

Stage stage_of(const fs::path& folder) {
  if (fs::exists(folder / kInt8File)) return Stage::int8;
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
  try {
    files.tensors =
        model::with_own_names(to_model_tensors(io::read_model_weights(folder)), files.notes);
  } catch (const model::Error& error) {
    throw io::Error(folder, error.what());
  }
  files.stage = stage_of(folder);
  if (files.stage != Stage::float32) {
    files.quantization_file = folder / (files.stage == Stage::int8 ? kInt8File : kFakeFile);
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
  io::write_json(folder / (model.precision() == model::Precision::int8 ? kInt8File : kFakeFile),
                 model.quantization());
}

int64_t weights_bytes(const model::Model& model) {
  return io::safetensors_bytes(to_io_tensors(model.tensors()));
}

}  // namespace flowqat::nodes

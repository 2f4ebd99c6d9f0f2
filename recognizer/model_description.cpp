#include "recognizer/model_description.h"

#include <utility>

#include "io/files/error.h"
#include "io/tensors/safetensors.h"

namespace flowqat::recognizer {
namespace fs = std::filesystem;
namespace {

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

}  // namespace flowqat::recognizer

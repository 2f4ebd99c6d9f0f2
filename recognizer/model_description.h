/// What a Hugging Face model folder says of its model, without the weights.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "io/text/processor.h"
#include "io/text/tokenizer.h"
#include "model/config.h"

namespace flowqat::recognizer {

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

}  // namespace flowqat::recognizer

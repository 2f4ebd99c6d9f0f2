/// How a recogniser wants its audio: the feature extractor's part of a Hugging Face processor.
#pragma once
#include <filesystem>

namespace flowqat::io {

/// Fields of transformers' Wav2Vec2FeatureExtractor; defaults are those of the base family.
struct FeatureExtractor {
  int rate_hz = 16000;                 ///< "sampling_rate"
  bool do_normalize = true;            ///< zero mean, unit variance, before padding
  bool return_attention_mask = false;  ///< whether padding is masked in the model
  float padding_value = 0;
  bool operator==(const FeatureExtractor&) const = default;

  /// Reads preprocessor_config.json (as published) or processor_config.json (as transformers 5
  /// writes it, fields under "feature_extractor"); the latter wins where both are, as in
  /// transformers 5. Throws Error when neither is there (naming both) or a field has the wrong type
  /// or value.
  static FeatureExtractor load(const std::filesystem::path& folder);

  /// Writes preprocessor_config.json, which transformers 4 and 5 read, and replaces a
  /// processor_config.json that is there. The folder must exist.
  void save(const std::filesystem::path& folder) const;
};

}  // namespace flowqat::io

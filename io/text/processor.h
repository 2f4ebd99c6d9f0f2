/// How a recogniser wants its audio: the feature extractor's part of a Hugging Face processor.
#pragma once
#include <filesystem>

namespace flowqat::io {

/// Fields of transformers' Wav2Vec2FeatureExtractor; defaults are those of the base family. What
/// they ask for: every utterance is normalized by itself and silence (zeros) put behind it, so that
/// a row of a batch holds what processor.pad() makes of utterances that went through the processor
/// one by one, as transformers' training collators do. One difference: called with `padding` on
/// several utterances at once and without an attention mask, transformers normalizes the padding
/// with them, and a row's samples depend on the longest of the batch.
struct FeatureExtractor {
  int rate_hz = 16000;                 ///< "sampling_rate"
  bool do_normalize = true;            ///< zero mean, unit variance, before padding
  bool return_attention_mask = false;  ///< whether padding is masked in the model
  bool operator==(const FeatureExtractor&) const = default;

  /// Reads preprocessor_config.json (as published) or processor_config.json (as transformers 5
  /// writes it, fields under "feature_extractor"); the latter wins where both are, as in
  /// transformers 5. Throws Error when neither is there (naming both) or a field has the wrong type
  /// or value, among them padding other than zeros on the right.
  static FeatureExtractor load(const std::filesystem::path& folder);

  /// Writes preprocessor_config.json, which transformers 4 and 5 read, and replaces a
  /// processor_config.json that is there. The folder must exist.
  void save(const std::filesystem::path& folder) const;
};

}  // namespace flowqat::io

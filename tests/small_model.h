#pragma once
#include <filesystem>
#include <fstream>

namespace flowqat::testing {

/// A folder from which a model node makes a wav2vec2 of base's topology with few and narrow layers.
inline std::filesystem::path write_small_config(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json") << R"({
    "model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"], "vocab_size": 32, "pad_token_id": 0,
    "conv_dim": [16, 16, 16, 16, 16, 16, 16], "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "conv_stride": [5, 2, 2, 2, 2, 2, 2], "num_feat_extract_layers": 7, "conv_bias": false,
    "feat_extract_norm": "group", "do_stable_layer_norm": false,
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4, "initializer_range": 0.06,
    "hidden_dropout": 0.1, "activation_dropout": 0.1, "attention_dropout": 0.1, "feat_proj_dropout": 0.0,
    "final_dropout": 0.1, "layerdrop": 0.1, "mask_time_prob": 0.05})";
  std::ofstream(folder / "preprocessor_config.json") << R"({
    "feature_extractor_type": "Wav2Vec2FeatureExtractor", "feature_size": 1, "sampling_rate": 16000,
    "do_normalize": true, "return_attention_mask": false, "padding_side": "right", "padding_value": 0.0})";
  return folder;
}

}  // namespace flowqat::testing

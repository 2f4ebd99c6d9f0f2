/// A wav2vec2 configuration as Hugging Face's config.json spells it, and the geometry of its
/// frames.
#pragma once
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace flowqat::model {

/// Field names are config.json's; defaults are those of transformers' Wav2Vec2Config.
struct Config {
  int64_t vocab_size = 32, hidden_size = 768, num_hidden_layers = 12, num_attention_heads = 12;
  int64_t intermediate_size = 3072;
  std::string hidden_act = "gelu", feat_extract_activation = "gelu";
  std::string feat_extract_norm = "group";
  bool conv_bias = false, do_stable_layer_norm = false;
  std::vector<int64_t> conv_dim{512, 512, 512, 512, 512, 512, 512};
  std::vector<int64_t> conv_stride{5, 2, 2, 2, 2, 2, 2}, conv_kernel{10, 3, 3, 3, 3, 2, 2};
  int64_t num_conv_pos_embeddings = 128, num_conv_pos_embedding_groups = 16;
  double hidden_dropout = 0.1, activation_dropout = 0.1, attention_dropout = 0.1;
  double feat_proj_dropout = 0.0, final_dropout = 0.1, layerdrop = 0.1;
  double initializer_range = 0.02, layer_norm_eps = 1e-5;
  /// Only to tell whether Hugging Face's model holds a mask embedding: it does where one is above
  /// 0.
  double mask_time_prob = 0.05, mask_feature_prob = 0.0;
  int64_t pad_token_id = 0;  ///< also the CTC blank
  /// Whether frames behind a row's end are masked: the processor's return_attention_mask, which
  /// whoever reads the folder fills in (false for base-960h).
  bool attention_mask = false;
  /// The whole object as read, written back unchanged when a model is saved.
  nlohmann::json source;

  /// From config.json's content. Throws Error for a field of the wrong type or range, and for one
  /// that this program does not honour, by name, with the reason. `attention_mask` stays false.
  static Config from_json(const nlohmann::json& json);
  /// The same from a file. Throws Error naming the file.
  static Config from_file(const std::filesystem::path& config_json);
};

/// Frames that the convolutions make of `samples`: L <- floor((L - k) / s) + 1 a layer; 0 if too
/// short.
int64_t frames_of(const Config& config, int64_t samples);
/// The fewest samples that give one frame (400 for base).
int64_t shortest_samples(const Config& config);

}  // namespace flowqat::model

/// A wav2vec2 configuration as Hugging Face's config.json spells it, and the geometry of its
/// frames.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "model/activation.h"

namespace flowqat::model {

/// What stands between the convolutions of the feature extractor.
enum class ConvolutionNorm {
  group,  ///< "group": after the first convolution, over time, a group a channel (base)
  layer,  ///< "layer": after each convolution, over its channels (large-lv60, robust, XLSR)
};

/// Field names are config.json's; defaults are those of transformers' Wav2Vec2Config. The two flags
/// of the families, feat_extract_norm and do_stable_layer_norm, may be combined freely, as there.
struct Config {
  int64_t vocab_size = 32, hidden_size = 768, num_hidden_layers = 12, num_attention_heads = 12;
  int64_t intermediate_size = 3072;
  Activation hidden_act = Activation::gelu;               ///< of the feed-forward networks
  Activation feat_extract_activation = Activation::gelu;  ///< of all convolutions
  ConvolutionNorm feat_extract_norm = ConvolutionNorm::group;
  bool conv_bias = false;
  bool do_stable_layer_norm = false;  ///< norms before attention and feed-forward, not after
  std::vector<int64_t> conv_dim{512, 512, 512, 512, 512, 512, 512};
  std::vector<int64_t> conv_stride{5, 2, 2, 2, 2, 2, 2}, conv_kernel{10, 3, 3, 3, 3, 2, 2};
  int64_t num_conv_pos_embeddings = 128, num_conv_pos_embedding_groups = 16;
  double hidden_dropout = 0.1, activation_dropout = 0.1, attention_dropout = 0.1;
  double feat_proj_dropout = 0.0, final_dropout = 0.1, layerdrop = 0.1;
  double initializer_range = 0.02, layer_norm_eps = 1e-5;
  /// How the model's own recipe masks its features in training. Hugging Face's model holds a mask
  /// embedding where one of the two shares is above 0.
  bool apply_spec_augment = true;
  double mask_time_prob = 0.05, mask_feature_prob = 0.0;
  int64_t mask_time_length = 10, mask_time_min_masks = 2;
  int64_t mask_feature_length = 10, mask_feature_min_masks = 0;
  /// The loss of that recipe: "sum" or "mean" over the batch.
  std::string ctc_loss_reduction = "sum";
  bool ctc_zero_infinity = false;
  int64_t pad_token_id = 0;  ///< also the CTC blank
  /// Whether frames behind a row's end are masked: the processor's return_attention_mask, which
  /// whoever reads the folder fills in (false for base-960h).
  bool attention_mask = false;
  /// The whole object as read, or null; saved_json() is made of it.
  std::shared_ptr<const nlohmann::json> source;
  /// Fields of `source` that mean nothing for this model, nor to transformers; worth a word to the
  /// user.
  std::vector<std::string> unknown_fields;

  /// From config.json's content. Throws Error for a field of the wrong type or range, and for one
  /// that this program does not honour, by name, with the reason. `attention_mask` stays false.
  static Config from_json(const nlohmann::json& json);
  /// The same from a file. Throws Error naming the file.
  static Config from_file(const std::filesystem::path& config_json);

  /// The same network for another vocabulary.
  Config with_vocabulary(int64_t size, int64_t blank_id) const;
  /// The config.json of a saved model: `source`, but with a CTC model's "architectures", with the
  /// vocabulary's fields, and with float32 where it names a type, since weights are saved so. A
  /// model that holds a mask embedding without having masks (it was trained with masks from the
  /// graph) gets transformers' default "mask_time_prob", without which it would not load the
  /// tensor.
  nlohmann::json saved_json(bool has_mask_embedding) const;
};

/// Frames that the convolutions make of `samples`: L <- floor((L - k) / s) + 1 a layer; 0 if too
/// short.
int64_t frames_of(const Config& config, int64_t samples);
/// The fewest samples that give one frame (400 for base).
int64_t shortest_samples(const Config& config);

}  // namespace flowqat::model

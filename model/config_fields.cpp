#include "model/config_fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/message.h"
#include "model/model.h"

namespace flowqat::model {
namespace {

using nlohmann::json;

/// Read by Config::from_json.
constexpr std::string_view kHonoured[] = {
    "model_type",
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "hidden_act",
    "feat_extract_activation",
    "feat_extract_norm",
    "conv_bias",
    "do_stable_layer_norm",
    "conv_dim",
    "conv_stride",
    "conv_kernel",
    "num_feat_extract_layers",
    "num_conv_pos_embeddings",
    "num_conv_pos_embedding_groups",
    "hidden_dropout",
    "activation_dropout",
    "attention_dropout",
    "feat_proj_dropout",
    "final_dropout",
    "layerdrop",
    "initializer_range",
    "layer_norm_eps",
    "mask_time_prob",
    "mask_feature_prob",
    "apply_spec_augment",
    "mask_time_length",
    "mask_time_min_masks",
    "mask_feature_length",
    "mask_feature_min_masks",
    "ctc_loss_reduction",
    "ctc_zero_infinity",
    "pad_token_id",
};

/// Of the heads that Wav2Vec2ForCTC has not (pretraining's quantizer and contrastive loss,
/// classification, x-vectors), and of the adapter that is refused.
constexpr std::string_view kOfOtherHeads[] = {
    "feat_quantizer_dropout",
    "num_codevectors_per_group",
    "num_codevector_groups",
    "contrastive_logits_temperature",
    "num_negatives",
    "codevector_dim",
    "proj_codevector_dim",
    "diversity_loss_weight",
    "use_weighted_layer_sum",
    "classifier_proj_size",
    "tdnn_dim",
    "tdnn_kernel",
    "tdnn_dilation",
    "xvector_output_dim",
    "adapter_kernel_size",
    "adapter_stride",
    "num_adapter_layers",
    "output_hidden_size",
};

/// Of every transformers model (PretrainedConfig of versions 4 and 5): provenance, labels, what a
/// call returns, text generation, how weights are held in memory. None changes what this model
/// computes.
constexpr std::string_view kGeneric[] = {
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_commit_hash",
    "_name_or_path",
    "add_cross_attention",
    "architectures",
    "attn_implementation",
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "chunk_size_feed_forward",
    "cross_attention_hidden_size",
    "decoder_start_token_id",
    "diversity_penalty",
    "do_sample",
    "dtype",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "eos_token_id",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "gradient_checkpointing",
    "id2label",
    "is_decoder",
    "is_encoder_decoder",
    "label2id",
    "length_penalty",
    "max_length",
    "min_length",
    "name_or_path",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_labels",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_scores",
    "prefix",
    "problem_type",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict",
    "return_dict_in_generate",
    "sep_token_id",
    "suppress_tokens",
    "task_specific_params",
    "temperature",
    "tf_legacy_loss",
    "tie_encoder_decoder",
    "tie_last_hidden_states",
    "tie_word_embeddings",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers_version",
    "typical_p",
    "use_bfloat16",
    "use_cache",
};

/// What Facebook's published folders carry over from fairseq; transformers' model reads none of it.
constexpr std::string_view kLeftOver[] = {
    "feat_extract_dropout", "freeze_feat_extract_train", "hidden_dropout_prob",
    "mask_channel_length",  "mask_channel_min_space",    "mask_channel_other",
    "mask_channel_prob",    "mask_channel_selection",    "mask_time_min_space",
    "mask_time_other",      "mask_time_selection",       "no_mask_channel_overlap",
    "no_mask_time_overlap", "num_codevectors",
};

/// With any value but the accepted ones, transformers computes something else.
struct Refused {
  const char* field;
  const char* reason;
  const char* accepted;
};
constexpr Refused kRefused[] = {
    {"add_adapter", "a network behind the encoder that shortens its output", "false"},
    {"adapter_attn_dim", "adapters in every layer, as in the models of a thousand languages",
     "null"},
    {"per_layer_config", "layers that differ from one another", "null or {}"},
    {"pruned_heads", "attention heads that were cut out", "null or {}"},
    {"quantization_config", "weights that another program has quantized", "null or {}"},
};

bool is_off(const json& value) {
  return value.is_null() || value == false || (value.is_object() && value.empty());
}

template <size_t Count>
bool holds(const std::string_view (&list)[Count], std::string_view name) {
  return std::ranges::find(list, name) != std::end(list);
}

}  // namespace

void refuse_other_models(const json& config) {
  for (const Refused& refused : kRefused) {
    const auto found = config.find(refused.field);
    if (found == config.end() || is_off(*found)) continue;
    throw Error(std::string("config.json: field \"") + refused.field + "\" is " + shown(*found) +
                ": " + refused.reason + ", which this program does not compute; only " +
                refused.accepted + " is accepted");
  }
}

std::vector<std::string> unknown_fields(const json& config) {
  std::vector<std::string> unknown;
  for (const auto& [name, value] : config.items()) {
    const bool known = holds(kHonoured, name) || holds(kOfOtherHeads, name) ||
                       holds(kGeneric, name) || holds(kLeftOver, name) ||
                       std::ranges::find(kRefused, name, &Refused::field) != std::end(kRefused);
    if (!known) unknown.push_back(name);
  }
  return unknown;
}

}  // namespace flowqat::model

#include "model/config.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/foreign.h"
#include "base/json_text.h"
#include "base/message.h"
#include "model/config_fields.h"
#include "model/config_size.h"
#include "model/model.h"

namespace flowqat::model {
namespace {

using nlohmann::json;

/// Each convolution halves the frames at least, so that a few dozen leave nothing of any recording.
constexpr size_t most_convolutions = 64;
constexpr double most_samples_a_frame = 1e8, most_parameters = 2e10;

[[noreturn]] void refuse(const std::string& field, const json& value, const std::string& wanted) {
  throw Error("config.json: field \"" + field + "\" must be " + wanted + ", found " + shown(value) +
              " (" + value.type_name() + ")");
}

/// Reads one field into `out`; an absent one keeps the default that `out` holds.
class Fields {
 public:
  explicit Fields(const json& object) : object_(object) {}

  const json* find(const std::string& name) const {
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  /// A config.json may come from anywhere: sizes beyond any model's are refused before memory is
  /// asked for.
  void whole(const std::string& name, int64_t& out, int64_t least, int64_t most = 10000000) const {
    if (const json* value = find(name)) {
      const std::string wanted = "a whole number of at least " + std::to_string(least) +
                                 " and at most " + std::to_string(most);
      if (!is_whole(*value, least, most)) refuse(name, *value, wanted);
      out = value->get<int64_t>();
    }
  }

  void share(const std::string& name, double& out) const {
    if (const json* value = find(name)) {
      if (!value->is_number()) refuse(name, *value, "a number from 0 to 1");
      out = value->get<double>();
      if (!(out >= 0 && out <= 1)) refuse(name, *value, "a number from 0 to 1");
    }
  }

  void positive(const std::string& name, double& out) const {
    if (const json* value = find(name)) {
      if (!value->is_number()) refuse(name, *value, "a number above 0");
      out = value->get<double>();
      if (!(out > 0)) refuse(name, *value, "a number above 0");
    }
  }

  void flag(const std::string& name, bool& out) const {
    if (const json* value = find(name)) {
      if (!value->is_boolean()) refuse(name, *value, "true or false");
      out = value->get<bool>();
    }
  }

  void activation(const std::string& name, Activation& out) const {
    if (const json* value = find(name)) {
      if (!value->is_string()) refuse(name, *value, "an activation's name");
      out = activation_of(value->get<std::string>(), name);
    }
  }

  void norm(const std::string& name, ConvolutionNorm& out) const {
    if (const json* value = find(name)) {
      if (*value != "group" && *value != "layer") refuse(name, *value, "\"group\" or \"layer\"");
      out = *value == "layer" ? ConvolutionNorm::layer : ConvolutionNorm::group;
    }
  }

  void reduction(const std::string& name, std::string& out) const {
    if (const json* value = find(name)) {
      if (*value != "sum" && *value != "mean") refuse(name, *value, "\"sum\" or \"mean\"");
      out = value->get<std::string>();
    }
  }

  void list(const std::string& name, std::vector<int64_t>& out, int64_t most) const {
    if (const json* value = find(name)) {
      const std::string wanted = "a list of up to " + std::to_string(most_convolutions) +
                                 " whole numbers from 1 to " + std::to_string(most);
      if (!value->is_array() || value->empty() || value->size() > most_convolutions) {
        refuse(name, *value, wanted);
      }
      out.clear();
      for (const json& item : *value) {
        if (!is_whole(item, 1, most)) refuse(name, *value, wanted);
        out.push_back(item.get<int64_t>());
      }
    }
  }

 private:
  /// Numbers beyond int64 are compared as what they are.
  static bool is_whole(const json& value, int64_t least, int64_t most) {
    return value.is_number_integer() && value >= least && value <= most;
  }

  const json& object_;
};

/// Numbers that are each possible can still make a network that none can be.
void check_size(const Config& config) {
  double shortest = 1;
  for (size_t i = config.conv_kernel.size(); i-- > 0;) {
    shortest = (shortest - 1) * static_cast<double>(config.conv_stride[i]) +
               static_cast<double>(config.conv_kernel[i]);
  }
  if (shortest > most_samples_a_frame) {
    throw Error(
        "config.json: fields \"conv_kernel\" and \"conv_stride\": the first frame would take " +
        json(shortest).dump() + " samples, more than any recording has");
  }
  const double parameters = parameters_of(config);
  if (parameters > most_parameters) {
    throw Error("config.json: its sizes make " + json(parameters).dump() +
                " parameters, more than any wav2vec2 has (" + json(most_parameters).dump() +
                " are accepted)");
  }
}

void check_geometry(const Config& config, const Fields& fields) {
  const std::string layers = std::to_string(config.conv_dim.size());
  for (const auto& [field, list] :
       {std::pair{"conv_stride", &config.conv_stride}, {"conv_kernel", &config.conv_kernel}}) {
    if (list->size() != config.conv_dim.size()) {
      throw Error(std::string("config.json: field \"") + field + "\" has " +
                  std::to_string(list->size()) + " values, but \"conv_dim\" has " + layers +
                  ": give one for every convolution");
    }
  }
  const json* count = fields.find("num_feat_extract_layers");
  if (count && *count != config.conv_dim.size()) {
    refuse("num_feat_extract_layers", *count, layers + ", the length of \"conv_dim\"");
  }
  for (const auto& [field, divisor] :
       {std::pair{"num_attention_heads", config.num_attention_heads},
        {"num_conv_pos_embedding_groups", config.num_conv_pos_embedding_groups}}) {
    if (config.hidden_size % divisor != 0) {
      throw Error("config.json: field \"hidden_size\" is " + std::to_string(config.hidden_size) +
                  ", which field \"" + field + "\" (" + std::to_string(divisor) +
                  ") does not divide");
    }
  }
  if (config.pad_token_id >= config.vocab_size) {
    throw Error("config.json: field \"pad_token_id\" is " + std::to_string(config.pad_token_id) +
                ", outside of the vocabulary (\"vocab_size\" is " +
                std::to_string(config.vocab_size) + ")");
  }
}

json read_json(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(path.string() + ": cannot be opened for reading: " + std::strerror(errno));
  std::string text;
  try {
    text = json_text(file);
    return parse_json<json>(text);
  } catch (const JsonError& error) {
    if (const std::string what = foreign_content(text); !what.empty()) {
      throw Error(path.string() + ": not JSON: " + what);
    }
    throw Error(path.string() + ": not JSON at " + error.what());
  }
}

}  // namespace

Config Config::from_json(const nlohmann::json& json) {
  if (!json.is_object()) {
    throw Error(std::string("config.json: must be an object, found ") + json.type_name());
  }
  Config config;
  const Fields fields(json);
  const nlohmann::json* type = fields.find("model_type");
  if (type && *type != "wav2vec2") refuse("model_type", *type, "\"wav2vec2\"");
  refuse_other_models(json);
  fields.whole("vocab_size", config.vocab_size, 1);
  fields.whole("hidden_size", config.hidden_size, 1);
  fields.whole("num_hidden_layers", config.num_hidden_layers, 0, 1000);
  fields.whole("num_attention_heads", config.num_attention_heads, 1);
  fields.whole("intermediate_size", config.intermediate_size, 1);
  fields.activation("hidden_act", config.hidden_act);
  fields.activation("feat_extract_activation", config.feat_extract_activation);
  fields.norm("feat_extract_norm", config.feat_extract_norm);
  fields.flag("conv_bias", config.conv_bias);
  fields.flag("do_stable_layer_norm", config.do_stable_layer_norm);
  fields.list("conv_dim", config.conv_dim, 1000000);
  fields.list("conv_stride", config.conv_stride, 1000000);
  fields.list("conv_kernel", config.conv_kernel, 1000000);
  fields.whole("num_conv_pos_embeddings", config.num_conv_pos_embeddings, 1);
  fields.whole("num_conv_pos_embedding_groups", config.num_conv_pos_embedding_groups, 1);
  fields.share("hidden_dropout", config.hidden_dropout);
  fields.share("activation_dropout", config.activation_dropout);
  fields.share("attention_dropout", config.attention_dropout);
  fields.share("feat_proj_dropout", config.feat_proj_dropout);
  fields.share("final_dropout", config.final_dropout);
  fields.share("layerdrop", config.layerdrop);
  fields.positive("initializer_range", config.initializer_range);
  fields.positive("layer_norm_eps", config.layer_norm_eps);
  fields.share("mask_time_prob", config.mask_time_prob);
  fields.share("mask_feature_prob", config.mask_feature_prob);
  fields.flag("apply_spec_augment", config.apply_spec_augment);
  fields.whole("mask_time_length", config.mask_time_length, 1);
  fields.whole("mask_time_min_masks", config.mask_time_min_masks, 0);
  fields.whole("mask_feature_length", config.mask_feature_length, 1);
  fields.whole("mask_feature_min_masks", config.mask_feature_min_masks, 0);
  fields.reduction("ctc_loss_reduction", config.ctc_loss_reduction);
  fields.flag("ctc_zero_infinity", config.ctc_zero_infinity);
  fields.whole("pad_token_id", config.pad_token_id, 0);
  config.source = std::make_shared<const nlohmann::json>(json);
  config.unknown_fields = model::unknown_fields(json);
  check_geometry(config, fields);
  check_size(config);
  return config;
}

Config Config::from_file(const std::filesystem::path& config_json) {
  try {
    return from_json(read_json(config_json));
  } catch (const Error& error) {
    const std::string text = error.what();
    if (text.starts_with(config_json.string())) throw;
    throw Error(config_json.parent_path().string() + "/" + text);
  }
}

Config Config::with_vocabulary(int64_t size, int64_t blank_id) const {
  Config changed = *this;
  changed.vocab_size = size;
  changed.pad_token_id = blank_id;
  return changed;
}

nlohmann::json Config::saved_json(bool has_mask_embedding) const {
  nlohmann::json saved = source ? *source : nlohmann::json();
  saved["model_type"] = "wav2vec2";
  saved["architectures"] = {"Wav2Vec2ForCTC"};
  saved["vocab_size"] = vocab_size;
  saved["pad_token_id"] = pad_token_id;
  for (const char* type : {"dtype", "torch_dtype"}) {
    if (saved.contains(type)) saved[type] = "float32";
  }
  if (has_mask_embedding && mask_time_prob == 0 && mask_feature_prob == 0) {
    saved["mask_time_prob"] = Config().mask_time_prob;
  }
  return saved;
}

int64_t frames_of(const Config& config, int64_t samples) {
  for (size_t i = 0; i < config.conv_kernel.size(); ++i) {
    if (samples < config.conv_kernel[i]) return 0;
    samples = (samples - config.conv_kernel[i]) / config.conv_stride[i] + 1;
  }
  return samples;
}

int64_t shortest_samples(const Config& config) {
  int64_t samples = 1;
  for (size_t i = config.conv_kernel.size(); i-- > 0;) {
    samples = (samples - 1) * config.conv_stride[i] + config.conv_kernel[i];
  }
  return samples;
}

}  // namespace flowqat::model

// TorchModel's tensors and quantization.json: out to a file and back.
#include <ATen/ops/tensor.h>
#include <torch/version.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "model/packed_weights.h"
#include "model/torch/base/boundary.h"
#include "model/torch/base/state_dict.h"
#include "model/torch/engine/checkpoint.h"
#include "model/torch/engine/initialize.h"
#include "model/torch/engine/torch_model.h"
#include "model/torch/quantization/layer_json.h"

namespace flowqat::model {
namespace {

using nlohmann::json;

constexpr const char* kMaskEmbedding = "wav2vec2.masked_spec_embed";
constexpr const char* kPositional = "wav2vec2.encoder.pos_conv_embed.conv.weight";
/// Everything else that an int8 model computes in float32.
const json kFloatOperations = {"normalization", "activation functions", "attention products",
                               "softmax", "residual sums"};

/// Of the file's object or one of its members.
const json& field(const json& object, const char* name) {
  if (object.is_object() && object.contains(name)) return object.at(name);
  throw Error(std::string("quantization: field \"") + name + "\" is missing");
}

bool flag(const json& object, const char* name) {
  const json& value = field(object, name);
  if (value.is_boolean()) return value;
  throw Error(std::string("quantization: field \"") + name + "\" must be true or false, found " +
              value.dump());
}

/// An int8 layer's scales travel as a tensor where there is one a channel.
bool scale_is_tensor(const json& layer_state) {
  return !layer_state.at("weight").contains("scale");
}

/// The lowest version of the format that says these layers.
int64_t version_of(const json& layers) {
  const auto is_new = [](const json& layer) { return layer.contains("activation_bits"); };
  return std::ranges::any_of(layers, is_new) ? kQuantizationVersion : kOldestQuantizationVersion;
}

/// What a file holds of a layer's weight.
Tensor weight_tensor(const std::string& name, const Int8& int8) {
  const at::Tensor weight = int8.kernel->weight();
  if (!are_packed(int8.scheme.weight_bits)) return to_tensor(name, weight);
  const auto packed = pack_weights(
      {weight.const_data_ptr<int8_t>(), static_cast<size_t>(weight.numel())}, weight.size(0));
  return to_tensor(name, at::tensor(packed, at::kByte).view(packed_shape(weight.sizes().vec())));
}

}  // namespace

bool TorchModel::mask_embedding_is_saved() const {
  return mask_embedding_used_ || config_.mask_time_prob > 0 || config_.mask_feature_prob > 0;
}

Tensors TorchModel::tensors() const {
  return at_boundary("reading weights", [&] {
    Tensors tensors;
    for (const auto& [name, value] : network_->named_parameters()) {
      if (name == kMaskEmbedding && !mask_embedding_is_saved()) continue;
      if (is_learned_step(name)) continue;  // part of quantization()
      const bool is_half = half_positional_conv_ && name == kPositional;
      tensors.push_back(to_tensor(published_name(name), is_half ? value.to(at::kHalf) : value));
    }
    for (const auto& [name, layer] : network_->quantizable_layers()) {
      if (!layer->is_int8()) continue;
      const Int8& int8 = layer->int8();
      tensors.push_back(weight_tensor(name + ".weight", int8));
      if (int8.scheme.per_channel_weights) {
        tensors.push_back(to_tensor(name + ".weight_scale", int8.kernel->weight_scale()));
      }
    }
    return tensors;
  });
}

nlohmann::json TorchModel::quantization() const {
  return at_boundary("reading the quantization", [&]() -> json {
    if (precision_ == Precision::float32) return nullptr;
    const bool fake = precision_ == Precision::fake_quantized;
    enter(Mode::evaluating);
    json layers = json::object();
    for (const auto& [name, layer] : network_->quantizable_layers()) {
      if (layer->is_fake_quantized() || layer->is_int8()) layers[name] = layer_to_json(*layer);
    }
    json result = {{"format", fake ? kFakeFormat : kInt8Format},
                   {"version", version_of(layers)},
                   {"libtorch", TORCH_VERSION},
                   {"policy", policy_to_json(policy_)},
                   {"layers", std::move(layers)},
                   {"float", {{"layers", float_layers()}, {"operations", kFloatOperations}}}};
    if (fake) {
      result["calibrated"] = calibrated_;
      result["observe_activations"] = observing_activations_;
    }
    return result;
  });
}

std::vector<std::string> TorchModel::float_layers() const {
  std::vector<std::string> names;
  for (const auto& [name, layer] : network_->quantizable_layers()) {
    if (!choice_for(policy_, name)) names.push_back(name);
  }
  return names;
}

void TorchModel::load(const Tensors& published, const nlohmann::json& quantization,
                      const LoadOptions& options, std::vector<std::string>& notes) {
  const at::NoGradGuard no_grad;
  json layers = json::object();
  if (!quantization.is_null()) {
    const json format = field(quantization, "format");
    if (format != kFakeFormat && format != kInt8Format) {
      throw Error("quantization: field \"format\" must be \"" + std::string(kFakeFormat) +
                  "\" or \"" + kInt8Format + "\", found " + format.dump());
    }
    precision_ = format == kInt8Format ? Precision::int8 : Precision::fake_quantized;
    check_quantization_version(quantization);
    layers = field(quantization, "layers");
    policy_ = policy_from_json(field(quantization, "policy"), "quantization: policy");
    check_layers(layers);
    if (field(field(quantization, "float"), "layers") != json(float_layers())) {
      throw Error("quantization: field \"float\" does not name the layers that the policy leaves");
    }
  }

  struct Int8Tensors {
    at::Tensor weight, scale;
    std::optional<at::Tensor> bias;
  };
  std::map<std::string, Int8Tensors> int8;
  Tensors tensors = as_ctc_state(published, notes);
  const bool draws_head = take_head_out(tensors, config_, options.head, notes);
  if (precision_ == Precision::int8) {
    for (const auto& [name, layer] : network_->quantizable_layers()) layer->fold_weight_norm();
    half_positional_conv_ = std::ranges::any_of(
        tensors, [](const Tensor& t) { return t.name == kPositional && t.dtype == "F16"; });
  }
  StateLoader loader("model");
  for (const auto& [name, value] : network_->named_parameters()) loader.expect(name, value);
  loader.allow_missing(kMaskEmbedding);
  loader.explain_missing(
      "lm_head.weight",
      "a checkpoint that was only pretrained recognises nothing: fine-tune it first, with a graph "
      "whose model node has it as \"path\" and draws a head");
  if (draws_head) {
    initialize_head(*network_, config_, options.seed, options.blank_bias);
    loader.allow_missing("lm_head.weight");
    loader.allow_missing("lm_head.bias");
  }
  for (const auto& [name, layer] : network_->quantizable_layers()) {
    if (precision_ != Precision::int8 || !layers.contains(name)) continue;
    Int8Tensors& parts = int8[name];
    const std::vector<int64_t> shape = layer->weight.sizes().vec();
    const bool packed = are_packed(choice_for(policy_, name)->weight_bits);
    loader.expect(name + ".weight", packed ? packed_shape(shape) : shape, {packed ? "U8" : "I8"},
                  [&parts](at::Tensor value) { parts.weight = std::move(value); });
    if (scale_is_tensor(layers.at(name))) {
      loader.expect(name + ".weight_scale", {layer->weight.size(0)}, {"F32"},
                    [&parts](at::Tensor value) { parts.scale = std::move(value); });
    }
    if (layer->bias.defined()) {
      loader.expect(name + ".bias", layer->bias.sizes().vec(), {"F32"},
                    [&parts](at::Tensor value) { parts.bias = std::move(value); });
    }
  }
  loader.load(tensors);
  mask_embedding_used_ = loader.found(kMaskEmbedding);

  for (const auto& [name, layer] : network_->quantizable_layers()) {
    if (!layers.contains(name)) continue;
    if (precision_ == Precision::int8) {
      const Int8Tensors& parts = int8.at(name);
      load_int8(*layer, layers.at(name), parts.weight, parts.scale, parts.bias);
    } else {
      load_fake_quantization(*layer, layers.at(name));
    }
  }
  if (precision_ == Precision::fake_quantized) {
    share_input_steps();
    calibrated_ = flag(quantization, "calibrated");
    observing_activations_ = flag(quantization, "observe_activations");
  }
  mode_.reset();
}

void TorchModel::check_layers(const nlohmann::json& layers) const {
  if (!layers.is_object()) throw Error("quantization: field \"layers\" must be an object");
  std::map<std::string, bool> found;
  for (const auto& [name, state] : layers.items()) found[name] = false;
  std::string complaints;
  for_quantized_layers([&](const auto& layer, const LayerScheme& scheme) {
    if (!found.contains(layer.name)) {
      complaints += " missing \"" + layer.name + "\";";
    } else if (layers[layer.name].value("scheme", json()) != choice_to_json(scheme)) {
      complaints += " another scheme in \"" + layer.name + "\";";
    }
    found[layer.name] = true;
  });
  for (const auto& [name, is_known] : found) {
    if (!is_known) complaints += " unexpected \"" + name + "\";";
  }
  if (!complaints.empty()) {
    throw Error("quantization: field \"layers\" does not fit the policy and the configuration:" +
                complaints);
  }
}

}  // namespace flowqat::model

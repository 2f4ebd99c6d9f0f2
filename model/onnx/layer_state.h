/// What quantization.json and the tensors beside it say of an int8 layer.
#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/onnx/weights.h"

namespace flowqat::model::onnx_export {

/// An integer q of 0..highest stands for (q - zero_point) scale.
struct ActivationState {
  float scale = 0;
  uint8_t zero_point = 0;
  uint8_t highest = 255;
  auto operator<=>(const ActivationState&) const = default;
};

struct LayerState {
  ActivationState input, output;
  /// Of the weight: one for the tensor, or one for each output channel.
  std::vector<float> weight_scales;
  std::vector<int8_t> weight_zero_points;  ///< as many
  std::vector<int8_t> weight;              ///< in the float weight's shape
  /// By which the input's channels are divided before they are quantized; empty: by nothing.
  std::vector<float> input_factor;
};

/// The int8 layers by name, such as "wav2vec2.encoder.layers.0.attention.q_proj".
class LayerStates {
 public:
  /// `quantization` is null for a float model. Throws Error for another format, a fake-quantized
  /// one among them, or another version.
  explicit LayerStates(const nlohmann::json& quantization);

  bool has(const std::string& layer) const { return layers_.contains(layer); }
  /// A layer with a weight of `shape` = [out, in, ...] and `in_channels` inputs (of all groups).
  /// Throws Error naming the layer and the key or tensor that is wrong. Keys that it does not know
  /// are left alone: loading the model checks them.
  LayerState take(const std::string& layer, const Shape& shape, int64_t in_channels,
                  Weights& weights);
  /// Throws Error if a layer was not asked for: the configuration has no such layer.
  void check_all_taken() const;

 private:
  std::map<std::string, nlohmann::json> layers_;
  std::set<std::string> taken_;
};

}  // namespace flowqat::model::onnx_export

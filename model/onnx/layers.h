/// The layers that may be int8, and what they share: linear layers and convolutions.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/onnx/graph.h"
#include "model/onnx/layer_state.h"
#include "model/onnx/weights.h"

namespace flowqat::model::onnx_export {

struct Convolution {
  int64_t in = 1, out = 1, kernel = 1;
  int64_t stride = 1, groups = 1;
  int64_t pad_begin = 0, pad_end = 0;
  bool has_bias = false;
  bool weight_normed = false;
};

class Layers {
 public:
  Layers(const OnnxForm& form, Graph& graph, Weights& weights, LayerStates& states)
      : form_(form), graph_(graph), weights_(weights), states_(states) {}

  /// [rows, in] -> [rows, out], always with a bias.
  Value linear(const std::string& layer, const Value& x, int64_t in, int64_t out);
  /// [batch, in, time] -> [batch, out, time].
  Value convolution(const std::string& layer, const Value& x, const Convolution& shape);
  /// Whether there is a layer whose weights are int8 although its sums can leave 16 bits.
  bool can_saturate() const { return can_saturate_; }

 private:
  /// A node type with a weight and a bias as its second and third input.
  struct Operation {
    const char* type;
    Attributes attributes;
    Shape weight_shape;  ///< [out, ...]
    int64_t in_channels;
    Shape factor_shape;  ///< of a value for each of the input's channels
    bool has_bias, weight_normed;
  };
  Value apply(const std::string& layer, const Value& x, const Operation& operation);
  Value apply_int8(const std::string& layer, const Value& x, const Operation& operation);
  /// As integer kernels read it: int8, or uint8 (OnnxForm::Weights).
  Value integer_weight(const std::string& layer, const LayerState& state, const Shape& shape);
  /// For a weight that integer kernels would compute wrongly (a zero point a channel) or whose bias
  /// does not fit: what its integers stand for, kept from ONNX Runtime's fusions, and from its own
  /// quantization of constant weights, by a node between.
  Value float_weight(const std::string& layer, const LayerState& state, const Shape& shape);
  Value divide(const Value& x, const std::vector<float>& factor, const Shape& shape,
               const std::string& layer);
  Value quantize(const Value& x, const ActivationState& state, const std::string& name);
  /// Like quantize(), on a grid that goes on to 255.
  Value rounded(const Value& x, const ActivationState& state, const std::string& name);
  Value below_end(const Value& x, const ActivationState& state, const std::string& name);
  Value dequantize(const Value& x, const ActivationState& state, const std::string& name);
  Values parameters(const ActivationState& state);

  const OnnxForm& form_;
  Graph& graph_;
  Weights& weights_;
  LayerStates& states_;
  bool can_saturate_ = false;
  std::map<ActivationState, Values> parameters_;
  /// Layers that read the same value by the same factors and scale share its quantized form.
  std::map<std::pair<Value, std::vector<float>>, Value> divided_;
  std::map<std::pair<Value, ActivationState>, Value> quantized_;
};

}  // namespace flowqat::model::onnx_export

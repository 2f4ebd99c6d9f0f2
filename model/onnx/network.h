/// wav2vec2 with a CTC head, as the evaluation mode of model/torch/network/wav2vec2.h computes it.
#pragma once
#include <string>

#include "model/config.h"
#include "model/onnx/graph.h"
#include "model/onnx/layers.h"

namespace flowqat::model::onnx_export {

/// Frames are [batch frames, channels], a row a frame, wherever no operation looks along time: a
/// Gemm node takes two dimensions, and with its bias it is one integer product.
class Network {
 public:
  Network(const Config& config, const OnnxForm& form, Graph& graph, Weights& weights,
          LayerStates& states)
      : config_(config),
        form_(form),
        graph_(graph),
        weights_(weights),
        layers_(form, graph, weights, states) {}

  /// Draws everything, from the inputs to the output.
  void draw();
  /// Layers::can_saturate() of what was drawn.
  bool can_saturate() const { return layers_.can_saturate(); }

 private:
  Value feature_extractor(const Value& samples);
  Value feature_projection(const Value& features);
  void draw_masks(const Value& features);
  Value encoder(const Value& x);
  Value positional(const Value& frames);
  Value encoder_layer(const Value& x, const std::string& name);
  Value attention(const Value& x, const std::string& name);
  Value feed_forward(const Value& x, const std::string& name);

  Value activate(Activation activation, const Value& x, const std::string& name);
  /// In the operations of opset 17, in the order that runtimes know and fuse into one.
  Value gelu_by_erf(const Value& x, const std::string& name);
  Value gelu_by_tanh(const Value& x, const std::string& name);
  Value mish_by_softplus(const Value& x, const std::string& name);
  /// Over the last dimension, with `name`.weight and `name`.bias.
  Value layer_norm(const Value& x, const std::string& name, int64_t channels, double epsilon);
  Value transpose(const Value& x, const std::string& name, const Shape& order);
  Value reshape(const Value& x, const std::string& name, const Value& shape);
  /// The batch's size, then `sizes`.
  Value batch_shape(const std::string& name, const std::vector<int64_t>& sizes);
  /// [batch frames, channels].
  Value as_rows(const Value& x, const std::string& name, int64_t channels);

  const Config& config_;
  const OnnxForm& form_;
  Graph& graph_;
  Weights& weights_;
  Layers layers_;
  Value rows_;                ///< the batch's size, [1]
  Value by_frame_, by_head_;  ///< shapes: [batch, frames, hidden], [batch, frames, heads, size]
  Value mask_;                ///< [batch, samples], or empty: no mask
  Value frame_mask_;          ///< [batch frames, 1], true where there is speech
  Value key_bias_;            ///< [batch, 1, 1, frames], added to the attention's scores
};

}  // namespace flowqat::model::onnx_export

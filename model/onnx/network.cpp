#include "model/onnx/network.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flowqat::model::onnx_export {
namespace {

/// transformers gives the feature extractor's norms PyTorch's default, whatever layer_norm_eps
/// says.
constexpr double kExtractorEpsilon = 1e-5;

/// In samples: beyond any recording, so that a longer one means the same. A stride is at most a
/// million: their product stays within 64 bits.
constexpr int64_t kLongestStep = int64_t{1} << 40;

}  // namespace

void Network::draw() {
  const Value samples = graph_.input("input_values", Graph::Type::float32, {"batch", "samples"});
  if (config_.attention_mask) {
    const bool is_int64 = form_.mask == OnnxForm::Mask::int64;
    mask_ = graph_.input("attention_mask", is_int64 ? Graph::Type::int64 : Graph::Type::int32,
                         {"batch", "samples"});
    if (!is_int64) mask_ = graph_.as_int64(mask_, "wide_mask");
  }
  rows_ =
      graph_.node("Shape", {samples}, "batch_size", {{"start", int64_t{0}}, {"end", int64_t{1}}});
  const int64_t hidden = config_.hidden_size, heads = config_.num_attention_heads;
  by_frame_ = batch_shape("by_frame", {-1, hidden});
  by_head_ = batch_shape("by_head", {-1, heads, hidden / heads});

  const Value features = feature_extractor(samples);
  if (config_.attention_mask) draw_masks(features);
  const Value context = encoder(feature_projection(features));
  const Value logits = layers_.linear("lm_head", context, hidden, config_.vocab_size);
  graph_.output(
      reshape(logits, "logits_by_frame", batch_shape("logits_shape", {-1, config_.vocab_size})),
      "logits", {"batch", "frames", config_.vocab_size});
}

Value Network::feature_extractor(const Value& samples) {
  Value x = graph_.node("Unsqueeze",
                        {samples, graph_.constant("channel_axis", {1}, std::vector<int64_t>{1})},
                        "one_channel");
  const bool norms_layers = config_.feat_extract_norm == ConvolutionNorm::layer;
  for (size_t i = 0; i < config_.conv_dim.size(); ++i) {
    const std::string name = "wav2vec2.feature_extractor.conv_layers." + std::to_string(i);
    const int64_t out = config_.conv_dim[i];
    x = layers_.convolution(name + ".conv", x,
                            {.in = i == 0 ? 1 : config_.conv_dim[i - 1],
                             .out = out,
                             .kernel = config_.conv_kernel[i],
                             .stride = config_.conv_stride[i],
                             .has_bias = config_.conv_bias});
    const std::string norm = name + ".layer_norm";
    if (norms_layers) {
      x = transpose(x, norm + "/by_frame", {0, 2, 1});
      x = layer_norm(x, norm, out, kExtractorEpsilon);
      x = activate(config_.feat_extract_activation, x, name + "/activation");
      x = transpose(x, name + "/by_channel", {0, 2, 1});
      continue;
    }
    if (i == 0) {  // a group a channel: an instance norm
      x = graph_.node(
          "InstanceNormalization",
          {x, graph_.constant(norm + ".weight", {out}, weights_.floats(norm + ".weight", {out})),
           graph_.constant(norm + ".bias", {out}, weights_.floats(norm + ".bias", {out}))},
          norm, {{"epsilon", static_cast<float>(kExtractorEpsilon)}});
    }
    x = activate(config_.feat_extract_activation, x, name + "/activation");
  }
  return x;
}

Value Network::feature_projection(const Value& features) {
  const int64_t channels = config_.conv_dim.back();
  const std::string name = "wav2vec2.feature_projection";
  Value x = transpose(features, name + "/by_frame", {0, 2, 1});
  x = as_rows(x, name + "/rows", channels);
  x = layer_norm(x, name + ".layer_norm", channels, config_.layer_norm_eps);
  return layers_.linear(name + ".projection", x, channels, config_.hidden_size);
}

void Network::draw_masks(const Value& features) {
  const auto integers = [&](const char* name, const Shape& shape, std::vector<int64_t> values) {
    return graph_.constant(name, shape, values);
  };
  const Value length = graph_.node("ReduceSum", {mask_, integers("time_axis", {1}, {1})},
                                   "length_samples", {{"keepdims", int64_t{1}}});
  // A frame hears `field` samples from `step` times its index on; it is speech where the last of
  // them is. No lengths are divided: OpenVINO may fuse a chain of integer divisions into float
  // ones.
  const int64_t field = shortest_samples(config_);
  int64_t step = 1;
  for (const int64_t stride : config_.conv_stride) step = std::min(step * stride, kLongestStep);
  const Value frames = graph_.node("Squeeze",
                                   {graph_.node("Shape", {features}, "padded_frames",
                                                {{"start", int64_t{2}}, {"end", int64_t{3}}})},
                                   "padded_frame_count");
  const Value first = integers("first_frame_end", {}, {field - 1});
  const Value distance = integers("frame_step", {}, {step});
  const Value behind = graph_.node(
      "Add", {graph_.node("Mul", {frames, distance}, "padded_steps"), first}, "frames_end");
  const Value ends = graph_.node("Range", {first, behind, distance}, "frame_ends");
  const Value is_speech = graph_.node("Less", {ends, length}, "is_speech");
  frame_mask_ = reshape(is_speech, "frame_mask", integers("column", {2}, {-1, 1}));
  const Value keys =
      graph_.node("Unsqueeze", {is_speech, integers("head_axes", {2}, {1, 2})}, "key_mask");
  key_bias_ = graph_.node(
      "Where",
      {keys, graph_.constant("zero", {}, std::vector<float>{0}),
       graph_.constant("lowest", {}, std::vector<float>{std::numeric_limits<float>::lowest()})},
      "key_bias");
}

Value Network::encoder(const Value& projected) {
  const std::string name = "wav2vec2.encoder";
  Value x = projected;
  if (!mask_.empty()) {
    x = graph_.node("Where",
                    {frame_mask_, x, graph_.constant("silence", {}, std::vector<float>{0})},
                    name + "/speech");
  }
  x = graph_.node("Add", {x, positional(x)}, name + "/positioned");
  const auto norm = [&] {
    return layer_norm(x, name + ".layer_norm", config_.hidden_size, config_.layer_norm_eps);
  };
  if (!config_.do_stable_layer_norm) x = norm();
  for (int64_t i = 0; i < config_.num_hidden_layers; ++i) {
    x = encoder_layer(x, name + ".layers." + std::to_string(i));
  }
  return config_.do_stable_layer_norm ? norm() : x;
}

Value Network::positional(const Value& x) {
  const std::string name = "wav2vec2.encoder.pos_conv_embed";
  const int64_t hidden = config_.hidden_size, kernel = config_.num_conv_pos_embeddings;
  Value y = transpose(reshape(x, name + "/frames", by_frame_), name + "/by_channel", {0, 2, 1});
  // Half of the kernel on both sides; an even one's last frame is dropped, so it needs one less.
  y = layers_.convolution(name + ".conv", y,
                          {.in = hidden,
                           .out = hidden,
                           .kernel = kernel,
                           .groups = config_.num_conv_pos_embedding_groups,
                           .pad_begin = kernel / 2,
                           .pad_end = kernel / 2 - (kernel % 2 == 0 ? 1 : 0),
                           .has_bias = true,
                           .weight_normed = true});
  y = activate(config_.feat_extract_activation, y, name + "/activation");
  return as_rows(transpose(y, name + "/by_frame", {0, 2, 1}), name + "/rows", hidden);
}

Value Network::encoder_layer(const Value& x, const std::string& name) {
  const auto norm = [&](const Value& value, const char* which) {
    return layer_norm(value, name + which, config_.hidden_size, config_.layer_norm_eps);
  };
  const bool norm_first = config_.do_stable_layer_norm;
  const Value attended = attention(norm_first ? norm(x, ".layer_norm") : x, name + ".attention");
  Value y = graph_.node("Add", {x, attended}, name + "/attended");
  if (!norm_first) y = norm(y, ".layer_norm");
  const Value fed =
      feed_forward(norm_first ? norm(y, ".final_layer_norm") : y, name + ".feed_forward");
  y = graph_.node("Add", {y, fed}, name + "/fed");
  return norm_first ? y : norm(y, ".final_layer_norm");
}

Value Network::attention(const Value& x, const std::string& name) {
  const int64_t hidden = config_.hidden_size, head_size = hidden / config_.num_attention_heads;
  const auto heads = [&](const char* which, const Shape& order) {
    const std::string layer = name + which;
    const Value y = layers_.linear(layer, x, hidden, hidden);
    return transpose(reshape(y, layer + "/heads", by_head_), layer + "/by_head", order);
  };
  const Value factor = graph_.constant(
      name + ".factor", {}, std::vector<float>{1 / std::sqrt(static_cast<float>(head_size))});
  const Value q =
      graph_.node("Mul", {heads(".q_proj", {0, 2, 1, 3}), factor}, name + ".q_proj/scaled");
  const Value k = heads(".k_proj", {0, 2, 3, 1});
  const Value v = heads(".v_proj", {0, 2, 1, 3});
  Value scores = graph_.node("MatMul", {q, k}, name + "/scores");
  if (!mask_.empty()) scores = graph_.node("Add", {scores, key_bias_}, name + "/masked_scores");
  const Value shares = graph_.node("Softmax", {scores}, name + "/shares", {{"axis", int64_t{-1}}});
  Value y = graph_.node("MatMul", {shares, v}, name + "/mixed");
  y = as_rows(transpose(y, name + "/by_frame", {0, 2, 1, 3}), name + "/rows", hidden);
  return layers_.linear(name + ".out_proj", y, hidden, hidden);
}

Value Network::feed_forward(const Value& x, const std::string& name) {
  const int64_t hidden = config_.hidden_size, wide = config_.intermediate_size;
  const Value y = layers_.linear(name + ".intermediate_dense", x, hidden, wide);
  return layers_.linear(name + ".output_dense",
                        activate(config_.hidden_act, y, name + "/activation"), wide, hidden);
}

}  // namespace flowqat::model::onnx_export

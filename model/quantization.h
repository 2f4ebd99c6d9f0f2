/// Which layers are quantized, how, and for which engine: plain data, no LibTorch.
#pragma once
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flowqat::model {

/// The kernel library whose packed weights a layer carries when shipped.
enum class QuantEngine { qnnpack, fbgemm };

/// How calibration turns the activations that it saw into a range.
enum class RangeEstimate {
  moving_average,  ///< r <- r + c (x - r) of each batch's minimum and maximum; goes on in training
  min_max,         ///< the least and the greatest value seen
  percentile,      ///< that share of the values on either side, the rest is clipped
  mse,             ///< the range with the least mean squared error
};

/// How a layer's input, weight and output become integers.
struct LayerScheme {
  QuantEngine engine = QuantEngine::fbgemm;
  bool symmetric_activations = false;  ///< zero point 128 of 0..255; else affine
  bool symmetric_weights = true;       ///< zero point 0 of -128..127; else affine
  bool per_channel_weights = true;     ///< a scale for every output channel; else one a tensor
  int activation_bits = 8;             ///< 4-8: the grid is 0..2^bits - 1
  int weight_bits = 8;                 ///< 4-8: the grid is -2^(bits - 1)..2^(bits - 1) - 1
  RangeEstimate range = RangeEstimate::moving_average;  ///< of the activations
  double percentile = 99.5;          ///< %, where that is the estimate: 99.5 clips 0.5 % a side
  double averaging_constant = 0.01;  ///< c of the moving average
  /// Training learns the scales of input, weight and output by gradient, from what calibration
  /// found: LSQ (arXiv:1902.08153).
  bool learned_step = false;
  /// alpha of SmoothQuant (arXiv:2211.10438, equation 4): the input's channels are divided by
  /// max|x|^alpha / max|w|^(1 - alpha), and the weight's multiplied. 0: left alone.
  double smoothing = 0;
  bool operator==(const LayerScheme&) const = default;
};

/// The ends of a grid of integers.
struct GridEnds {
  int64_t lowest = 0, highest = 255;
  bool operator==(const GridEnds&) const = default;
};
constexpr GridEnds activation_grid(int bits) { return {0, (int64_t{1} << bits) - 1}; }
constexpr GridEnds weight_grid(int bits) {
  return {-(int64_t{1} << (bits - 1)), (int64_t{1} << (bits - 1)) - 1};
}

/// What `quantization.json` and `fake_quantization.json` say that they are.
inline constexpr const char* kInt8Format = "flowqat int8";
inline constexpr const char* kFakeFormat = "flowqat fake quantization";
/// Version 3 is version 2 and int8 layers of fewer than 8 bits; a file has the lowest version that
/// says what it holds.
inline constexpr int64_t kQuantizationVersion = 3, kOldestQuantizationVersion = 2;
/// Whether a scheme's int8 layer is beyond version 2.
constexpr bool has_fewer_bits(const LayerScheme& scheme) {
  return scheme.activation_bits < 8 || scheme.weight_bits < 8;
}
/// Throws Error unless the object says a version that this program reads.
void check_quantization_version(const nlohmann::json& quantization);

/// The presets: docs/quantization.md has the table. Throws Error naming them for any other name.
LayerScheme preset(const std::string& name);
std::vector<std::string> preset_names();

/// A scheme, or nothing for a layer that stays in float.
using LayerChoice = std::optional<LayerScheme>;

/// What is quantized: a choice for each part of the model, and exceptions from it.
struct Policy {
  LayerChoice feature_extractor = preset("qnnpack_clipped");  ///< the convolutions
  LayerChoice feature_projection;
  LayerChoice positional_conv;
  LayerChoice attention = preset("fbgemm");     ///< q, k, v and out of every encoder layer
  LayerChoice feed_forward = preset("fbgemm");  ///< intermediate and output of every encoder layer
  LayerChoice head;

  struct Exception {
    std::string match;  ///< a layer's name with the shell's wildcards * ? [a-b]
    LayerChoice choice;
    bool operator==(const Exception&) const = default;
  };
  std::vector<Exception> exceptions;  ///< the last that matches decides
  bool operator==(const Policy&) const = default;
};

/// The parts and their names.
inline constexpr std::pair<const char*, LayerChoice Policy::*> policy_parts[] = {
    {"feature_extractor", &Policy::feature_extractor},
    {"feature_projection", &Policy::feature_projection},
    {"positional_conv", &Policy::positional_conv},
    {"attention", &Policy::attention},
    {"feed_forward", &Policy::feed_forward},
    {"head", &Policy::head},
};

/// The policy's choice for the layer of this name, such as
/// "wav2vec2.encoder.layers.0.attention.q_proj".
LayerChoice choice_for(const Policy& policy, const std::string& layer);

/// "none", a preset's name, or an object of LayerScheme's fields by their names, with "preset" for
/// those that are not given ({"preset": "qnnpack", "range": "percentile"}). `where` begins the
/// Error for anything else, or for a value that no fake quantizer takes.
LayerChoice choice_from_json(const nlohmann::json& json, const std::string& where);
/// "none" or all fields.
nlohmann::json choice_to_json(const LayerChoice& choice);

/// An object: the parts by their names, "exceptions" as a list of {"match", "choice"}. A missing
/// part has its default.
Policy policy_from_json(const nlohmann::json& json, const std::string& where);
nlohmann::json policy_to_json(const Policy& policy);

}  // namespace flowqat::model

/// Which layers are quantized, how, and for which engine: plain data, no LibTorch.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace flowqat::model {

/// The kernel library whose packed weights a layer carries when shipped.
enum class QuantEngine { qnnpack, fbgemm };

/// How a layer's input, weight and output become 8-bit integers.
struct LayerScheme {
  QuantEngine engine = QuantEngine::fbgemm;
  bool symmetric_activations = false;  ///< zero point 128 of 0..255; else affine
  bool per_channel_weights = true;     ///< a scale for every output channel; else one a tensor
  double averaging_constant = 0.01;    ///< of the activations' moving minimum and maximum
  bool operator==(const LayerScheme&) const = default;
};

/// The presets: `qnnpack` (affine activations, symmetric weights per tensor), `qnnpack_symmetric`
/// (both symmetric), `fbgemm` (affine activations, weights symmetric per channel).
/// Throws Error naming the presets for any other name.
LayerScheme preset(const std::string& name);
std::vector<std::string> preset_names();

/// A preset's name for each part of the model, or "none" to leave it in float.
struct Policy {
  std::string feature_extractor = "qnnpack";  ///< convolutions 0-6
  std::string encoder = "fbgemm";             ///< q, k, v, out, intermediate, output of each layer
};

}  // namespace flowqat::model

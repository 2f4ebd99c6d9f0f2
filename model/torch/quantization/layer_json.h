/// What a layer's state says in JSON, and layers made from it.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "model/torch/base/tensor.h"
#include "model/torch/quantization/quantizable_layer.h"

namespace flowqat::model {

/// Null for a float layer; else all that load_fake_quantization() or load_int8() needs besides
/// the tensors. Floats are exact. Waits for the device.
///   fake-quantized: {"scheme": {...}, "fake_quantization": true, "observers": {"activations":
///     false, "weights": true}, "input": Q, "weight": Q, "output": Q, "input_factor": F} where
///     Q = {"min", "max", "scale", "zero_point", "log_scale"}: numbers, or arrays of [out] per
///     channel; min and max are null before anything was seen, log_scale is null unless the step
///     is learned; F is null or an array of [in], a number where that is 1: what smoothing
///     divides the input by
///   int8: {"scheme": {...}, "bits": 8, "activation_bits": 8, "input": {"scale", "zero_point"},
///     "weight": {"scale", "zero_point", "shape"}, "output": {"scale", "zero_point"},
///     "input_factor": F}; "bits" are the weight's; "activation_bits", of input and output, is
///     missing where both are 8; "shape" is there only where the tensor is packed
///     (model/packed_weights.h); per channel, the weight's "scale" is missing (it travels as a
///     tensor) and its "zero_point" is 0 or an array of [out]
///   scheme: all fields of LayerScheme
nlohmann::json layer_to_json(const QuantizableLayer& layer);

/// From a float layer to what layer_to_json() described. Error names the layer's path, key,
/// expected and found; the layer is then as it was.
void load_fake_quantization(QuantizableLayer& layer, const nlohmann::json& state);
/// int8_weight: int8 in the float weight's shape, or packed. weight_scale: float32 [out], read per
/// channel only; per tensor the state holds it. bias: float32 [out]. The tensors are not kept:
/// packing copies them.
void load_int8(QuantizableLayer& layer, const nlohmann::json& state, const at::Tensor& int8_weight,
               const at::Tensor& weight_scale, const std::optional<at::Tensor>& bias);

}  // namespace flowqat::model

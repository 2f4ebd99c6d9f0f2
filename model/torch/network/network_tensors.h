#pragma once
#include <string>
#include <vector>

#include "model/torch/base/module.h"
#include "model/torch/network/wav2vec2.h"

namespace flowqat::model {

/// All that a network computes with: its parameters, then the buffers of its fake quantizers
/// (ranges, scales, zero points), under unique names.
std::vector<NamedTensor> network_tensors(const Wav2Vec2ForCtc& network);

/// "lm_head.weight 32 768"
std::string form_of(const NamedTensor& tensor);

/// A line for each tensor, and for each factor of smoothing: name, shape and a digest of the bytes.
/// Waits for the device.
std::vector<std::string> network_digests(const Wav2Vec2ForCtc& network);

}  // namespace flowqat::model

#pragma once
#include <string>
#include <vector>

#include "model/torch/network/wav2vec2.h"

namespace flowqat::model {

/// A line for each tensor that a network computes with: its parameters, the buffers of its fake
/// quantizers (ranges, scales, zero points) and the factors of smoothing; each with its name, shape
/// and a digest of its bytes. Waits for the device.
std::vector<std::string> network_digests(const Wav2Vec2ForCtc& network);

}  // namespace flowqat::model

/// Zero mean and unit variance, as Wav2Vec2FeatureExtractor (transformers) does it with
/// do_normalize: (x - mean) / sqrt(variance + 1e-7), population variance, before any padding.
#pragma once
#include <span>

namespace flowqat::recognizer {

/// Fills `out`, which is as long as `in` and may be the same memory. The same bits on every
/// processor. Thread-safe.
void normalize(std::span<const float> in, std::span<float> out);

}  // namespace flowqat::recognizer

#pragma once
#include <cstdint>
#include <span>

namespace flowqat::nodes {

/// Connectionist temporal classification (Graves et al., ICML 2006): -log p(target | scores), by
/// the forward variables in double. `logits`: [frames, vocabulary], before the softmax. Infinity
/// for a target that does not fit into the frames, or holds a token that the scores have none for.
double ctc_loss(std::span<const float> logits, int64_t vocabulary, std::span<const int32_t> target,
                int32_t blank);

}  // namespace flowqat::nodes

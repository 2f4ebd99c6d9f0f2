#pragma once
#include <cstdint>

#include "model/config.h"
#include "model/torch/network/wav2vec2.h"

namespace flowqat::model {

/// Fresh weights for a network on the CPU, by Hugging Face's Wav2Vec2PreTrainedModel._init_weights:
/// linear normal(0, initializer_range), bias 0; convolutions Kaiming normal (arXiv:1502.01852), a
/// bias uniform within sqrt(1 / (in kernel)); feature projection uniform within sqrt(1 / in);
/// positional convolution normal(0, 2 sqrt(1 / (kernel hidden))), bias 0; norms 1 and 0; beyond
/// those rules, the head's bias for the blank. The same numbers for the same seed, whatever the
/// threads.
void initialize(Wav2Vec2ForCtc& network, const Config& config, uint64_t seed, double blank_bias);

/// The head alone by the same rules, for a pretrained network with another vocabulary.
void initialize_head(Wav2Vec2ForCtc& network, const Config& config, uint64_t seed,
                     double blank_bias);

/// The mask embedding alone, uniform(0, 1) from a fixed seed: a model that was saved before it ever
/// masked (published folders often lack the tensor) goes on with the same numbers when loaded.
void initialize_mask_embedding(Wav2Vec2ForCtc& network);

}  // namespace flowqat::model

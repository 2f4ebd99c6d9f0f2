#pragma once
#include <memory>

#include "model/torch/base/tensor.h"
#include "model/torch/network/encoder_layer.h"

namespace flowqat::model {

/// layer->forward(x, key_mask), of which only x is kept for the backward, where the layer is
/// computed again (Chen et al. 2016, "Training deep nets with sublinear memory cost",
/// arXiv:1604.06174, section 3): the same numbers and gradients, bit for bit, dropout included,
/// whose random numbers are drawn again from the generators as they stood. Fake quantizers observe
/// the first time alone and round the second time on the same grids.
at::Tensor forward_checkpointed(const std::shared_ptr<EncoderLayer>& layer, const at::Tensor& x,
                                const at::Tensor& key_mask);

}  // namespace flowqat::model

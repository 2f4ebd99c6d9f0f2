#include "model/torch/network/positional_conv.h"

#include "model/torch/operators/activate.h"

namespace flowqat::model {

PositionalConv::PositionalConv(const Config& config)
    : makes_one_too_many_(config.num_conv_pos_embeddings % 2 == 0),
      activation_(config.feat_extract_activation) {
  conv_ = register_module("conv", std::make_shared<PositionalConv1dLayer>(
                                      config.hidden_size, config.num_conv_pos_embeddings,
                                      config.num_conv_pos_embedding_groups));
}

at::Tensor PositionalConv::forward(const at::Tensor& x) {
  at::Tensor y = conv_->forward(x.transpose(1, 2));
  // An even kernel, padded by half of itself on both sides, makes one frame too many.
  if (makes_one_too_many_) y = y.slice(2, 0, y.size(2) - 1);
  return activate(activation_, y).transpose(1, 2);
}

}  // namespace flowqat::model

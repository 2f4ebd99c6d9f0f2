#include "model/torch/positional_conv.h"

#include "model/torch/activate.h"

namespace flowqat::model {

WeightNormedKernel::WeightNormedKernel(int64_t channels, int64_t kernel, int64_t groups) {
  weight_g_ = register_parameter("weight_g", torch::ones({1, 1, kernel}));
  weight_v_ = register_parameter("weight_v", torch::ones({channels, channels / groups, kernel}));
  bias_ = register_parameter("bias", torch::zeros({channels}));
}

torch::Tensor WeightNormedKernel::weight() const {
  return at::_weight_norm(weight_v_, weight_g_, /*dim=*/2);
}

void WeightNormedKernel::set_weight(const torch::Tensor& weight) {
  const torch::NoGradGuard no_grad;
  weight_v_.copy_(weight);
  weight_g_.copy_(weight.square().sum(torch::IntArrayRef{0, 1}, /*keepdim=*/true).sqrt());
}

PositionalConv::PositionalConv(const Config& config)
    : kernel_size_(config.num_conv_pos_embeddings),
      groups_(config.num_conv_pos_embedding_groups),
      activation_(config.feat_extract_activation) {
  conv_ = register_module(
      "conv", std::make_shared<WeightNormedKernel>(config.hidden_size, kernel_size_, groups_));
}

torch::Tensor PositionalConv::forward(const torch::Tensor& x) {
  torch::Tensor y = at::conv1d(x.transpose(1, 2), conv_->weight(), conv_->bias(), /*stride=*/1,
                               /*padding=*/kernel_size_ / 2, /*dilation=*/1, groups_);
  // An even kernel, padded by half of itself on both sides, makes one frame too many.
  if (kernel_size_ % 2 == 0) y = y.slice(2, 0, y.size(2) - 1);
  return activate(activation_, y).transpose(1, 2);
}

}  // namespace flowqat::model

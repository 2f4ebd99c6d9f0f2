#include "model/torch/network/feature_extractor.h"

#include "model/torch/operators/activate.h"
#include "model/torch/operators/time_norm.h"

namespace flowqat::model {

FeatureConvolution::FeatureConvolution(const Config& config, size_t index)
    : activation_(config.feat_extract_activation) {
  const int64_t in = index == 0 ? 1 : config.conv_dim[index - 1];
  const int64_t out = config.conv_dim[index];
  conv_ = register_module(
      "conv", std::make_shared<Conv1dLayer>(in, out, config.conv_kernel[index],
                                            config.conv_stride[index], config.conv_bias));
  // Both have PyTorch's epsilon of 1e-5: transformers gives them none, whatever layer_norm_eps
  // says.
  if (config.feat_extract_norm == ConvolutionNorm::layer) {
    layer_norm_ =
        register_module("layer_norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({out})));
  } else if (index == 0) {
    group_norm_ =
        register_module("layer_norm", torch::nn::GroupNorm(torch::nn::GroupNormOptions(out, out)));
  }
}

torch::Tensor FeatureConvolution::forward(const torch::Tensor& x) {
  torch::Tensor y = conv_->forward(x);
  if (group_norm_) {
    y = time_norm(y, group_norm_->weight, group_norm_->bias, group_norm_->options.eps());
  }
  if (layer_norm_) y = layer_norm_->forward(y.transpose(1, 2)).transpose(1, 2);
  return activate(activation_, y);
}

FeatureExtractor::FeatureExtractor(const Config& config) {
  torch::nn::ModuleList list;
  for (size_t i = 0; i < config.conv_dim.size(); ++i) {
    layers_.push_back(std::make_shared<FeatureConvolution>(config, i));
    list->push_back(layers_.back());
  }
  register_module("conv_layers", list);
}

torch::Tensor FeatureExtractor::forward(const torch::Tensor& samples) {
  torch::Tensor x = samples.unsqueeze(1);
  for (const auto& layer : layers_) x = layer->forward(x);
  return x;
}

}  // namespace flowqat::model

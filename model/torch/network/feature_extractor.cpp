#include "model/torch/network/feature_extractor.h"

#include "model/torch/operators/activate.h"

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
    layer_norm_ = register_module("layer_norm", std::make_shared<LayerNorm>(out));
  } else if (index == 0) {
    group_norm_ = register_module("layer_norm", std::make_shared<GroupNorm>(out));
  }
}

at::Tensor FeatureConvolution::forward(const at::Tensor& x) {
  at::Tensor y = conv_->forward(x);
  if (group_norm_) y = group_norm_->forward(y);
  if (layer_norm_) y = layer_norm_->forward(y.transpose(1, 2)).transpose(1, 2);
  return activate(activation_, y);
}

FeatureExtractor::FeatureExtractor(const Config& config) {
  auto list = register_module("conv_layers", std::make_shared<Module>());
  for (size_t i = 0; i < config.conv_dim.size(); ++i) {
    layers_.push_back(std::make_shared<FeatureConvolution>(config, i));
    list->register_module(std::to_string(i), layers_.back());
  }
}

at::Tensor FeatureExtractor::forward(const at::Tensor& samples) {
  at::Tensor x = samples.unsqueeze(1);
  for (const auto& layer : layers_) x = layer->forward(x);
  return x;
}

}  // namespace flowqat::model

#include "model/torch/engine/initialize.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty_like.h>

#include <cmath>

namespace flowqat::model {
namespace {

void initialize_convolution(Conv1dLayer& layer, at::Generator& random) {
  const double fan_in = static_cast<double>(layer.weight.size(1) * layer.weight.size(2));
  layer.weight.normal_(0, std::sqrt(2 / fan_in), random);
  if (layer.bias.defined()) {
    const double bound = std::sqrt(1 / fan_in);
    layer.bias.uniform_(-bound, bound, random);
  }
}

}  // namespace

void initialize(Wav2Vec2ForCtc& network, const Config& config, uint64_t seed, double blank_bias) {
  const at::NoGradGuard no_grad;
  at::Generator random = at::make_generator<at::CPUGeneratorImpl>(seed);
  for (const auto& [name, module] : network.named_modules()) {
    if (auto* convolution = module->as<Conv1dLayer>()) {
      initialize_convolution(*convolution, random);
    } else if (auto* layer = module->as<LinearLayer>()) {
      layer->weight.normal_(0, config.initializer_range, random);
      layer->bias.zero_();
    } else if (auto* norm = module->as<Norm>()) {
      norm->reset();
    }
  }
  LinearLayer& projection = network.base().projection().projection();
  const double bound = std::sqrt(1 / static_cast<double>(projection.weight.size(1)));
  projection.weight.uniform_(-bound, bound, random);
  projection.bias.uniform_(-bound, bound, random);

  PositionalConv1dLayer& positional = network.base().encoder().positional_conv().conv();
  const at::Tensor weight = positional.float_weight();
  const double taps = static_cast<double>(weight.size(0) * weight.size(2));
  positional.set_weight(at::empty_like(weight).normal_(0, 2 * std::sqrt(1 / taps), random));
  network.head().bias[config.pad_token_id] = blank_bias;
  initialize_mask_embedding(network);
}

void initialize_head(Wav2Vec2ForCtc& network, const Config& config, uint64_t seed,
                     double blank_bias) {
  const at::NoGradGuard no_grad;
  at::Generator random = at::make_generator<at::CPUGeneratorImpl>(seed);
  network.head().weight.normal_(0, config.initializer_range, random);
  network.head().bias.zero_();
  network.head().bias[config.pad_token_id] = blank_bias;
}

void initialize_mask_embedding(Wav2Vec2ForCtc& network) {
  const at::NoGradGuard no_grad;
  at::Generator random = at::make_generator<at::CPUGeneratorImpl>(uint64_t{0});
  at::Tensor embedding = network.base().parameter("masked_spec_embed");
  embedding.uniform_(0, 1, random);
}

}  // namespace flowqat::model

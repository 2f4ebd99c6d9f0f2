#include "model/torch/fast/network.h"

#include <utility>

namespace flowqat::model {

FastNetwork::FastNetwork(std::shared_ptr<Wav2Vec2ForCtc> network)
    : network_(std::move(network)),
      features_(network_->base().feature_extractor()),
      encoder_(network_->base().encoder().parts()) {}

at::Tensor FastNetwork::run(const NetworkInput& input) const {
  const at::Tensor x = network_->base().projection().forward(features_.run(input.samples));
  return network_->head().forward(encoder_.run(x, input.frame_mask));
}

}  // namespace flowqat::model

#pragma once
#include <memory>

#include "model/torch/base/tensor.h"
#include "model/torch/fast/encoder.h"
#include "model/torch/fast/feature_extractor.h"
#include "model/torch/network/wav2vec2.h"

namespace flowqat::model {

/// An int8 network in evaluation, with every layer's numbers and the fewest steps between them:
/// what its layers' fast products, made before, let run together. Shares the network, which must
/// not change; several threads may run it. Only where has_vnni().
class FastNetwork {
 public:
  explicit FastNetwork(std::shared_ptr<Wav2Vec2ForCtc> network);
  /// As Wav2Vec2ForCtc::forward() in evaluation.
  at::Tensor run(const NetworkInput& input) const;

 private:
  std::shared_ptr<Wav2Vec2ForCtc> network_;
  FastFeatureExtractor features_;
  FastEncoder encoder_;
};

}  // namespace flowqat::model

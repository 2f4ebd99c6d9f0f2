#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "model/torch/base/tensor.h"
#include "model/torch/int8/product.h"
#include "model/torch/network/feature_extractor.h"

namespace flowqat::model {

/// The convolutions of an int8 model in evaluation, activations in uint8 from one int8 layer to the
/// next: what lies between is a function of one byte, looked up in the product's epilogue (a group
/// norm: a function a channel, from exact moments of the bytes). Layers without a fast product run
/// as they are. Shares the layers; immutable; only where has_vnni().
class FastFeatureExtractor {
 public:
  explicit FastFeatureExtractor(const FeatureExtractor& extractor);
  /// [rows, samples] -> [rows, frames, channels], float32.
  at::Tensor run(const at::Tensor& samples) const;

 private:
  struct Stage {
    std::shared_ptr<FeatureConvolution> layer;
    std::shared_ptr<const FastInt8> product;  ///< null: the layer runs as it is
    std::optional<ActivationScale> next;      ///< of the next layer's input, if that is fast too
    std::optional<ByteTable> to_bytes;        ///< activation and next input; without a norm
    at::Tensor to_floats;                     ///< float32 [256]: the activation; without a norm
  };

  /// The stage's norm and activation over its product's bytes, [rows, frames, channels].
  static at::Tensor norm_over_time(const Stage& stage, const at::Tensor& bytes);
  static at::Tensor norm_over_channels(const Stage& stage, const at::Tensor& bytes);

  std::vector<Stage> stages_;
};

}  // namespace flowqat::model

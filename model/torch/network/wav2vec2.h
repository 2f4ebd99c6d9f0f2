/// The whole recogniser, with Hugging Face's module names (Wav2Vec2ForCTC).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "model/config.h"
#include "model/torch/base/tensor.h"
#include "model/torch/network/encoder.h"
#include "model/torch/network/feature_extractor.h"
#include "model/torch/network/feature_projection.h"

namespace flowqat::model {

/// What one forward reads, all on the network's device. Undefined masks are none.
struct NetworkInput {
  at::Tensor samples;       ///< float32 [rows, samples]
  at::Tensor frame_mask;    ///< bool [rows, frames], true for speech; only with attention_mask
  at::Tensor time_mask;     ///< bool [rows, frames], true where the mask embedding stands
  at::Tensor channel_mask;  ///< bool [rows, hidden], true where zero stands
};

/// Features, masks and context, without the head.
class Wav2Vec2 : public Module {
 public:
  explicit Wav2Vec2(const Config& config);
  /// -> [rows, frames, hidden]. The masks count in training only. `hidden` as Encoder fills it.
  at::Tensor forward(const NetworkInput& input, std::vector<at::Tensor>* hidden = nullptr);
  FeatureExtractor& feature_extractor() { return *feature_extractor_; }
  FeatureProjection& projection() { return *feature_projection_; }
  Encoder& encoder() { return *encoder_; }
  /// What the gradient of the features is multiplied by in training; 1 at first.
  void set_feature_gradient_scale(double scale) { feature_gradient_scale_ = scale; }

 private:
  double feature_gradient_scale_ = 1;
  at::Tensor masked_spec_embed_;  // [hidden]
  std::shared_ptr<FeatureExtractor> feature_extractor_;
  std::shared_ptr<FeatureProjection> feature_projection_;
  std::shared_ptr<Encoder> encoder_;
};

class Wav2Vec2ForCtc : public Module {
 public:
  explicit Wav2Vec2ForCtc(const Config& config);
  /// -> scores before the softmax, [rows, frames, vocabulary]. `hidden` as Encoder fills it.
  at::Tensor forward(const NetworkInput& input, std::vector<at::Tensor>* hidden = nullptr);
  Wav2Vec2& base() { return *base_; }
  LinearLayer& head() { return *lm_head_; }
  /// Whether training computes no gradient of anything but the head's; false at first.
  void set_head_only(bool on) { head_only_ = on; }

  struct NamedLayer {
    std::string name;
    std::shared_ptr<QuantizableLayer> layer;
  };
  /// The layers that can be quantized, in the order of the forward.
  const std::vector<NamedLayer>& quantizable_layers() const { return layers_; }

 private:
  double final_dropout_;
  bool head_only_ = false;
  std::shared_ptr<Wav2Vec2> base_;
  std::shared_ptr<LinearLayer> lm_head_;
  std::vector<NamedLayer> layers_;
};

}  // namespace flowqat::model

/// From samples to features: strided convolutions (wav2vec 2.0, arXiv:2006.11477, section 2).
#pragma once
#include <optional>
#include <vector>

#include "model/config.h"
#include "runtime/layers/norm.h"
#include "runtime/network/weights.h"

namespace flowqat::runtime {

/// Between int8 layers activations stay in bytes: what lies between is a function of one byte,
/// looked up in the product's epilogue (a group norm: a function a channel, from exact moments).
class FeatureExtractor {
 public:
  FeatureExtractor(const Kernels& kernels, const model::Config& config, Weights& weights);

  /// samples [samples] -> floats [frames, channels], from the context's memory; of one row.
  float* run(Context& context, const float* samples, int64_t count, int64_t& frames) const;
  int64_t channels() const { return stages_.back().layer.out(); }

 private:
  /// Over time, a channel for itself.
  struct GroupNorm {
    std::vector<float> weight, bias;
    double epsilon;
  };
  struct Stage {
    Layer layer;
    int64_t in, kernel, stride;
    std::optional<GroupNorm> group_norm;
    std::optional<LayerNorm> layer_norm;
    model::Activation activation;
    Wanted next;
  };
  static Stage stage_of(const Kernels& kernels, const model::Config& config, Weights& weights,
                        size_t index);
  // The result is taken from `to`.
  static Values run_stage(Context& context, Stack& to, const Stage& stage, const Values& x,
                          int64_t frames);
  static Values norm_bytes_over_time(Context& context, Stack& to, const Stage& stage,
                                     const uint8_t* x, int64_t frames);
  static Values norm_floats_over_time(Context& context, Stack& to, const Stage& stage,
                                      const float* x, int64_t frames);
  static Values norm_over_channels(Context& context, Stack& to, const Stage& stage, const Values& x,
                                   int64_t frames);

  std::vector<Stage> stages_;
};

}  // namespace flowqat::runtime

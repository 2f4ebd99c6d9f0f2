#include "model/torch/fast/feature_extractor.h"

#include <algorithm>

#include "model/torch/int8/byte_norm.h"
#include "model/torch/operators/activate.h"

namespace flowqat::model {

FastFeatureExtractor::FastFeatureExtractor(const FeatureExtractor& extractor) {
  for (const auto& layer : extractor.layers_) {
    stages_.push_back({layer, layer->conv_->fast(), {}, {}, {}});
  }
  for (size_t i = 0; i < stages_.size(); ++i) {
    Stage& stage = stages_[i];
    const bool next_is_fast = i + 1 < stages_.size() && stages_[i + 1].product;
    if (next_is_fast) stage.next = stages_[i + 1].product->input();
    if (!stage.product || stage.layer->group_norm_ || stage.layer->layer_norm_) continue;
    const ActivationScale& scale = stage.product->output();
    if (stage.next) {
      stage.to_bytes = activation_table(stage.layer->activation_, scale, *stage.next);
    } else {
      stage.to_floats = activated(stage.layer->activation_, scale);
    }
  }
}

torch::Tensor FastFeatureExtractor::norm_over_time(const Stage& stage, const torch::Tensor& bytes) {
  const auto& norm = stage.layer->group_norm_;
  const ActivationScale& scale = stage.product->output();
  const double frames = static_cast<double>(bytes.size(1));
  const torch::Tensor grid = dequantize_bytes(at::arange(256, torch::kByte), scale);
  std::vector<torch::Tensor> rows;
  for (int64_t row = 0; row < bytes.size(0); ++row) {
    const ByteMoments moments = moments_of(bytes[row]);
    const torch::Tensor mean = moments.sum.to(torch::kDouble) / frames;
    const torch::Tensor variance =
        (moments.square.to(torch::kDouble) / frames - mean.square()) * (scale.scale * scale.scale);
    const torch::Tensor factor =
        (variance.clamp_min(0) + norm->options.eps()).rsqrt() * norm->weight.to(torch::kDouble);
    const torch::Tensor shift =
        norm->bias.to(torch::kDouble) -
        (mean - static_cast<double>(scale.zero_point)) * scale.scale * factor;
    const torch::Tensor values = activate(
        stage.layer->activation_,
        (grid.to(torch::kDouble) * factor.unsqueeze(1) + shift.unsqueeze(1)).to(torch::kFloat));
    rows.push_back(
        map_bytes(bytes[row], stage.next ? quantize_bytes(values, *stage.next) : values));
  }
  return rows.size() == 1 ? rows[0].unsqueeze(0) : at::stack(rows);
}

torch::Tensor FastFeatureExtractor::norm_over_channels(const Stage& stage,
                                                       const torch::Tensor& bytes) {
  const auto& norm = stage.layer->layer_norm_;
  const AddNorm from{.x = {},
                     .bytes = bytes,
                     .bytes_scale = stage.product->output(),
                     .weight = norm->weight,
                     .bias = norm->bias,
                     .epsilon = norm->options.eps()};
  const torch::Tensor y =
      activate(stage.layer->activation_, add_norm(from, false, true, nullptr).normed);
  return stage.next ? quantize_bytes(y, *stage.next) : y;
}

torch::Tensor FastFeatureExtractor::run(const torch::Tensor& samples) const {
  torch::Tensor x = samples.unsqueeze(2);  // channels innermost throughout
  for (const Stage& stage : stages_) {
    if (!stage.product) {
      x = stage.layer->forward(x.transpose(1, 2)).transpose(1, 2);
      if (stage.next) x = quantize_bytes(x, *stage.next);
      continue;
    }
    if (x.scalar_type() != torch::kByte) x = quantize_bytes(x, stage.product->input());
    x = stage.product->apply(x, stage.to_bytes ? &*stage.to_bytes : nullptr);
    if (stage.layer->group_norm_) {
      x = norm_over_time(stage, x);
    } else if (stage.layer->layer_norm_) {
      x = norm_over_channels(stage, x);
    } else if (!stage.to_bytes) {
      x = map_bytes(x, stage.to_floats);
    }
  }
  return x;
}

}  // namespace flowqat::model

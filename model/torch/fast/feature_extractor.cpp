#include "model/torch/fast/feature_extractor.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/stack.h>

#include <algorithm>

#include "model/torch/int8/byte_norm.h"
#include "model/torch/operators/activate.h"

namespace flowqat::model {

FastFeatureExtractor::FastFeatureExtractor(const FeatureExtractor& extractor) {
  for (const auto& layer : extractor.layers()) {
    stages_.push_back({layer, layer->parts().conv.fast(), {}, {}, {}});
  }
  for (size_t i = 0; i < stages_.size(); ++i) {
    Stage& stage = stages_[i];
    const bool next_is_fast = i + 1 < stages_.size() && stages_[i + 1].product;
    if (next_is_fast) stage.next = stages_[i + 1].product->input();
    const FeatureConvolution::Parts layer = stage.layer->parts();
    if (!stage.product || layer.group_norm || layer.layer_norm) continue;
    const ActivationScale& scale = stage.product->output();
    if (stage.next) {
      stage.to_bytes = activation_table(layer.activation, scale, *stage.next);
    } else {
      stage.to_floats = activated(layer.activation, scale);
    }
  }
}

at::Tensor FastFeatureExtractor::norm_over_time(const Stage& stage, const at::Tensor& bytes) {
  const FeatureConvolution::Parts layer = stage.layer->parts();
  const GroupNorm& norm = *layer.group_norm;
  const ActivationScale& scale = stage.product->output();
  const double frames = static_cast<double>(bytes.size(1));
  const at::Tensor grid = dequantize_bytes(at::arange(256, at::kByte), scale);
  std::vector<at::Tensor> rows;
  for (int64_t row = 0; row < bytes.size(0); ++row) {
    const ByteMoments moments = moments_of(bytes[row]);
    const at::Tensor mean = moments.sum.to(at::kDouble) / frames;
    const at::Tensor variance =
        (moments.square.to(at::kDouble) / frames - mean.square()) * (scale.scale * scale.scale);
    const at::Tensor factor =
        (variance.clamp_min(0) + norm.epsilon()).rsqrt() * norm.weight.to(at::kDouble);
    const at::Tensor shift = norm.bias.to(at::kDouble) -
                             (mean - static_cast<double>(scale.zero_point)) * scale.scale * factor;
    const at::Tensor values =
        activate(layer.activation,
                 (grid.to(at::kDouble) * factor.unsqueeze(1) + shift.unsqueeze(1)).to(at::kFloat));
    rows.push_back(
        map_bytes(bytes[row], stage.next ? quantize_bytes(values, *stage.next) : values));
  }
  return rows.size() == 1 ? rows[0].unsqueeze(0) : at::stack(rows);
}

at::Tensor FastFeatureExtractor::norm_over_channels(const Stage& stage, const at::Tensor& bytes) {
  const FeatureConvolution::Parts layer = stage.layer->parts();
  const LayerNorm& norm = *layer.layer_norm;
  const AddNorm from{.x = {},
                     .bytes = bytes,
                     .bytes_scale = stage.product->output(),
                     .weight = norm.weight,
                     .bias = norm.bias,
                     .epsilon = norm.epsilon()};
  const at::Tensor y = activate(layer.activation, add_norm(from, false, true, nullptr).normed);
  return stage.next ? quantize_bytes(y, *stage.next) : y;
}

at::Tensor FastFeatureExtractor::run(const at::Tensor& samples) const {
  at::Tensor x = samples.unsqueeze(2);  // channels innermost throughout
  for (const Stage& stage : stages_) {
    if (!stage.product) {
      x = stage.layer->forward(x.transpose(1, 2)).transpose(1, 2);
      if (stage.next) x = quantize_bytes(x, *stage.next);
      continue;
    }
    if (x.scalar_type() != at::kByte) x = quantize_bytes(x, stage.product->input());
    x = stage.product->apply(x, stage.to_bytes ? &*stage.to_bytes : nullptr);
    if (stage.layer->parts().group_norm) {
      x = norm_over_time(stage, x);
    } else if (stage.layer->parts().layer_norm) {
      x = norm_over_channels(stage, x);
    } else if (!stage.to_bytes) {
      x = map_bytes(x, stage.to_floats);
    }
  }
  return x;
}

}  // namespace flowqat::model

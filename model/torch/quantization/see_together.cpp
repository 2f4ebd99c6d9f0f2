// What fake quantizers of weights learn of a step, in passes over all channels of all layers.
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/cat.h>

#include <algorithm>

#include "model/torch/quantization/channel_scales.h"
#include "model/torch/quantization/fake_quantizer.h"
#include "model/torch/quantization/moving_range.h"

namespace flowqat::model {

/// Whether one formula serves both.
bool FakeQuantizer::sees_with(const FakeQuantizer& other) const {
  const FakeQuantizerOptions &a = options_, &b = other.options_;
  return a.symmetric == b.symmetric && a.quant_min == b.quant_min && a.quant_max == b.quant_max &&
         a.averaging_constant == b.averaging_constant && scale_.device() == other.scale_.device();
}

void FakeQuantizer::see_together(const std::vector<Sight>& sights) {
  const at::NoGradGuard no_grad;
  std::vector<Sight> left;
  std::ranges::copy_if(sights, std::back_inserter(left), [](const Sight& sight) {
    const FakeQuantizer& quantizer = *sight.quantizer;
    return quantizer.options_.channels > 0 && quantizer.fake_quantizing_ && quantizer.follows() &&
           sight.x.numel() > 0;
  });
  while (!left.empty()) {
    const FakeQuantizer& first = *left.front().quantizer;
    const auto others = std::ranges::stable_partition(
        left, [&](const Sight& sight) { return sight.quantizer->sees_with(first); });
    std::vector<at::Tensor> min_vals, max_vals, scales, zero_points, lows, highs;
    std::vector<int64_t> channels;
    for (const Sight& sight : std::ranges::subrange(left.begin(), others.begin())) {
      FakeQuantizer& quantizer = *sight.quantizer;
      min_vals.push_back(quantizer.min_val_);
      max_vals.push_back(quantizer.max_val_);
      scales.push_back(quantizer.scale_);
      zero_points.push_back(quantizer.zero_point_);
      channels.push_back(quantizer.options_.channels);
      const auto [low, high] = sight.x.detach().to(at::kFloat).flatten(1).aminmax(1);
      lows.push_back(low);
      highs.push_back(high);
      quantizer.has_seen_ = true;
    }
    at::Tensor min_val = at::cat(min_vals), max_val = at::cat(max_vals);
    move_towards(min_val, at::cat(lows), first.options_.averaging_constant);
    move_towards(max_val, at::cat(highs), first.options_.averaging_constant);
    at::Tensor scale = at::cat(scales), zero_point = at::cat(zero_points);
    choose_channel_scales(min_val, max_val, first.options_, scale, zero_point);
    at::_foreach_copy_(min_vals, min_val.split_with_sizes(channels));
    at::_foreach_copy_(max_vals, max_val.split_with_sizes(channels));
    at::_foreach_copy_(scales, scale.split_with_sizes(channels));
    at::_foreach_copy_(zero_points, zero_point.split_with_sizes(channels));
    left.erase(left.begin(), others.begin());
  }
}

}  // namespace flowqat::model

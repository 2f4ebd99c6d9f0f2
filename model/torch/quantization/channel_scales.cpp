#include "model/torch/quantization/channel_scales.h"

#include <ATen/ops/maximum.h>
#include <ATen/ops/where.h>

#include <cmath>

namespace flowqat::model {
namespace {

constexpr float smallest_scale = 6.1e-5f;  // fbgemm's

/// The steps between a range's ends as one.
at::Tensor step_of(const at::Tensor& low, const at::Tensor& high, int64_t steps) {
  const auto step = (high.to(at::kDouble) - low) / steps;
  const auto step32 = step.to(at::kFloat);
  return step.masked_fill((step32 == 0).logical_or(step32.reciprocal().isinf()), 0.1);
}

/// s = max(|min| / 128, |max| / 127); a channel whose values have one sign spends all 256 steps on
/// that side.
void choose_symmetric(at::Tensor low, at::Tensor high, const FakeQuantizerOptions& options,
                      at::Tensor& scale, at::Tensor& zero_point) {
  const int64_t quant_min = options.quant_min, quant_max = options.quant_max;
  const int64_t upper = (quant_max - quant_min) / 2, lower = upper + 1;
  const auto two_sided = (low < 0).logical_and(high > 0);
  const auto largest = at::maximum((low / lower).abs(), (high / upper).abs()).to(at::kDouble);
  low = at::where(two_sided, (largest * -lower).to(at::kFloat), low);
  high = at::where(two_sided, (largest * upper).to(at::kFloat), high);
  scale.copy_(step_of(low, high, quant_max - quant_min).clamp_min(smallest_scale));

  // Zero itself is nearer to the end of the grid with the smaller magnitude.
  const bool zeros_at_top = std::abs(quant_max) < std::abs(quant_min);
  const auto at_top = zeros_at_top ? high <= 0 : low < 0;
  const auto one_sided = at::where(at_top, quant_max, quant_min);
  const auto middle = static_cast<int64_t>(std::nearbyint((quant_min + quant_max) / 2.0));
  zero_point.copy_(one_sided.masked_fill(two_sided, middle));
}

/// s = (max - min) / (quant_max - quant_min), and the zero point from the end that it is nearer to.
void choose_affine(at::Tensor low, at::Tensor high, const FakeQuantizerOptions& options,
                   at::Tensor& scale, at::Tensor& zero_point) {
  const int64_t quant_min = options.quant_min, quant_max = options.quant_max;
  const auto step = step_of(low, high, quant_max - quant_min);
  const auto is_tiny = step < smallest_scale;
  const auto wider = smallest_scale / step;
  low = at::where(is_tiny, low * wider, low.to(at::kDouble));
  high = at::where(is_tiny, high * wider, high.to(at::kDouble));
  const auto used = step.clamp_min(smallest_scale);
  const auto from_low = quant_min - low / used, from_high = quant_max - high / used;
  const auto low_is_nearer =
      std::abs(quant_min) - (low / used).abs() < std::abs(quant_max) - (high / used).abs();
  scale.copy_(used);
  zero_point.copy_(
      at::where(low_is_nearer, from_low, from_high).clamp(quant_min, quant_max).round());
}

}  // namespace

void choose_channel_scales(const at::Tensor& min_val, const at::Tensor& max_val,
                           const FakeQuantizerOptions& options, at::Tensor& scale,
                           at::Tensor& zero_point) {
  const auto choose = options.symmetric ? choose_symmetric : choose_affine;
  choose(min_val.clamp_max(0), max_val.clamp_min(0), options, scale, zero_point);
}

}  // namespace flowqat::model

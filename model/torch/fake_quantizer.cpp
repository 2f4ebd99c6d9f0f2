#include "model/torch/fake_quantizer.h"

#include <cmath>
#include <limits>

#include "model/model.h"
#include "model/torch/fake_quantize.h"

namespace flowqat::model {
namespace {

/// r <- r + c (x - r), or x at first; the very operations of PyTorch's kernel, for equal bits.
void move_towards(torch::Tensor& range, const torch::Tensor& seen, double constant) {
  range.copy_(torch::where(range.isinf(), seen, range + (seen - range) * constant));
}

/// PyTorch's rule for symmetric scales, for all channels at once and without leaving the device:
/// s = max(|min| / 128, |max| / 127), at least fbgemm's 6.1e-5; a channel whose values have one
/// sign spends all 256 steps on that side. PyTorch's own per-channel kernel waits for the device,
/// and on the CPU visits the channels one by one.
void choose_symmetric(const torch::Tensor& min_val, const torch::Tensor& max_val,
                      const FakeQuantizerOptions& options, torch::Tensor& scale,
                      torch::Tensor& zero_point) {
  constexpr float smallest_scale = 6.1e-5f;
  const int64_t quant_min = options.quant_min, quant_max = options.quant_max;
  const int64_t upper = (quant_max - quant_min) / 2, lower = upper + 1;
  auto low = min_val.clamp_max(0), high = max_val.clamp_min(0);
  const auto two_sided = (low < 0).logical_and(high > 0);
  const auto largest = torch::maximum((low / lower).abs(), (high / upper).abs()).to(torch::kDouble);
  low = torch::where(two_sided, (largest * -lower).to(torch::kFloat), low);
  high = torch::where(two_sided, (largest * upper).to(torch::kFloat), high);

  auto step = (high.to(torch::kDouble) - low) / (quant_max - quant_min);
  const auto step32 = step.to(torch::kFloat);
  step = step.masked_fill((step32 == 0).logical_or(step32.reciprocal().isinf()), 0.1);
  scale.copy_(step.clamp_min(smallest_scale));

  // Zero itself is nearer to the end of the grid with the smaller magnitude.
  const bool zeros_at_top = std::abs(quant_max) < std::abs(quant_min);
  const auto at_top = zeros_at_top ? high <= 0 : low < 0;
  const auto one_sided = torch::where(at_top, quant_max, quant_min);
  const auto middle = static_cast<int64_t>(std::nearbyint((quant_min + quant_max) / 2.0));
  zero_point.copy_(one_sided.masked_fill(two_sided, middle));
}

}  // namespace

FakeQuantizerOptions FakeQuantizerOptions::activation(bool symmetric, double averaging_constant) {
  return {.symmetric = symmetric, .averaging_constant = averaging_constant};
}

FakeQuantizerOptions FakeQuantizerOptions::weight(int64_t channels) {
  return {.symmetric = true,
          .channels = channels,
          .quant_min = -128,
          .quant_max = 127,
          .averaging_constant = 1};
}

FakeQuantizer::FakeQuantizer(const FakeQuantizerOptions& options) : options_(options) {
  if (options.channels > 0 && !options.symmetric)
    throw Error("fake quantizer: expected a symmetric scheme for scales per channel, found affine");
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<int64_t> range_shape(options.channels > 0 ? 1 : 0, options.channels);
  const int64_t scales = std::max<int64_t>(options.channels, 1);
  min_val_ = register_buffer("min_val", torch::full(range_shape, infinity));
  max_val_ = register_buffer("max_val", torch::full(range_shape, -infinity));
  scale_ = register_buffer("scale", torch::ones({scales}));
  zero_point_ = register_buffer("zero_point", torch::zeros({scales}, torch::kInt));
  observer_on_ = register_buffer("observer_on", torch::ones({1}, torch::kLong));
  fake_quant_on_ = register_buffer("fake_quant_on", torch::zeros({1}, torch::kLong));
}

void FakeQuantizer::set_observer(bool on) {
  observing_ = on;
  observer_on_.fill_(on ? 1 : 0);
}

void FakeQuantizer::set_fake_quantization(bool on) {
  fake_quantizing_ = on;
  fake_quant_on_.fill_(on ? 1 : 0);
  if (on && observed()) update_scale();
}

bool FakeQuantizer::observed() const {
  return min_val_.isfinite().logical_and(max_val_.isfinite()).all().item<bool>();
}

torch::Tensor FakeQuantizer::fused(const torch::Tensor& x, const torch::Tensor& observer_on,
                                   const torch::Tensor& fake_quant_on) {
  return at::fused_moving_avg_obs_fake_quant(x, observer_on, fake_quant_on, min_val_, max_val_,
                                             scale_, zero_point_, options_.averaging_constant,
                                             options_.quant_min, options_.quant_max, /*ch_axis=*/0,
                                             /*per_row_fake_quant=*/false, options_.symmetric);
}

void FakeQuantizer::observe(const torch::Tensor& x) {
  const torch::NoGradGuard no_grad;
  if (options_.channels == 0) {
    fused(x, observer_on_, torch::zeros_like(fake_quant_on_));
    return;
  }
  const auto [low, high] = x.flatten(1).aminmax(1);
  move_towards(min_val_, low, options_.averaging_constant);
  move_towards(max_val_, high, options_.averaging_constant);
}

void FakeQuantizer::update_scale() {
  const torch::NoGradGuard no_grad;
  if (options_.channels > 0) {
    choose_symmetric(min_val_, max_val_, options_, scale_, zero_point_);
    return;
  }
  // The kernel computes scale and zero point from the range only on its way to an output.
  fused(torch::zeros({1}, scale_.options()), torch::zeros_like(observer_on_),
        torch::ones_like(fake_quant_on_));
}

torch::Tensor FakeQuantizer::forward(const torch::Tensor& x) {
  if ((!observing_ && !fake_quantizing_) || x.numel() == 0) return x;
  if (options_.channels == 0 && x.dim() == 3 && !x.is_contiguous() &&
      x.transpose(1, 2).is_contiguous()) {
    // Element by element it is the same, and PyTorch's kernels would undo the order of x's memory.
    return forward(x.transpose(1, 2)).transpose(1, 2);
  }
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const auto x32 = x.to(torch::kFloat);
  if (!fake_quantizing_) {
    observe(x32.detach());
    return x;
  }
  if (options_.channels == 0) {
    if (x.is_cpu()) {
      if (observing_) {
        observe(x32.detach());
        update_scale();
      }
      const QuantizationGrid grid{scale_.item<float>(), zero_point_.item<int>(), options_.quant_min,
                                  options_.quant_max};
      return fake_quantize_on_cpu(x32.contiguous(), grid).to(x.scalar_type());
    }
    if (observing_) return fused(x32, observer_on_, fake_quant_on_).to(x.scalar_type());
    return at::fake_quantize_per_tensor_affine(x32, scale_, zero_point_, options_.quant_min,
                                               options_.quant_max)
        .to(x.scalar_type());
  }
  if (observing_) {
    observe(x32.detach());
    update_scale();
  }
  // An integer zero point makes PyTorch fetch its range from the device to check it.
  const auto zero_point = x.is_cpu() ? zero_point_ : zero_point_.to(torch::kFloat);
  return at::fake_quantize_per_channel_affine(x32, scale_, zero_point, /*axis=*/0,
                                              options_.quant_min, options_.quant_max)
      .to(x.scalar_type());
}

FakeQuantizerState FakeQuantizer::state() const {
  return {min_val_.clone(),    max_val_.clone(), scale_.clone(),
          zero_point_.clone(), observing_,       fake_quantizing_};
}

void FakeQuantizer::load_state(const FakeQuantizerState& state) {
  const torch::NoGradGuard no_grad;
  min_val_.copy_(state.min_val);
  max_val_.copy_(state.max_val);
  scale_.copy_(state.scale);
  zero_point_.copy_(state.zero_point);
  set_observer(state.observer_on);
  fake_quantizing_ = state.fake_quantization_on;
  fake_quant_on_.fill_(fake_quantizing_ ? 1 : 0);
}

}  // namespace flowqat::model

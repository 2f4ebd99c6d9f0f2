#include "model/torch/quantization/fake_quantizer.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/fake_quantize_per_channel_affine.h>
#include <ATen/ops/fake_quantize_per_tensor_affine.h>
#include <ATen/ops/full.h>
#include <ATen/ops/fused_moving_avg_obs_fake_quant.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/round.h>
#include <ATen/ops/zeros.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <cmath>
#include <limits>
#include <utility>

#include "model/model.h"
#include "model/torch/operators/fake_quantize.h"
#include "model/torch/quantization/channel_scales.h"
#include "model/torch/quantization/moving_range.h"

namespace flowqat::model {
FakeQuantizerOptions FakeQuantizerOptions::activation(const LayerScheme& scheme) {
  return {.symmetric = scheme.symmetric_activations,
          .quant_max = activation_grid(scheme.activation_bits).highest,
          .averaging_constant = scheme.averaging_constant,
          .range = scheme.range,
          .percentile = scheme.percentile,
          .learned_step = scheme.learned_step};
}

FakeQuantizerOptions FakeQuantizerOptions::weight(const LayerScheme& scheme, int64_t channels) {
  const GridEnds grid = weight_grid(scheme.weight_bits);
  return {.symmetric = scheme.symmetric_weights,
          .channels = channels,
          .quant_min = grid.lowest,
          .quant_max = grid.highest,
          .averaging_constant = 1,
          .learned_step = scheme.learned_step};
}

FakeQuantizer::FakeQuantizer(const FakeQuantizerOptions& options) : options_(options) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<int64_t> range_shape(options.channels > 0 ? 1 : 0, options.channels);
  const int64_t scales = std::max<int64_t>(options.channels, 1);
  min_val_ = register_buffer("min_val", at::full(range_shape, infinity));
  max_val_ = register_buffer("max_val", at::full(range_shape, -infinity));
  scale_ = register_buffer("scale", at::ones({scales}));
  zero_point_ = register_buffer("zero_point", at::zeros({scales}, at::kInt));
  off_ = register_buffer("off", at::zeros({1}, at::kLong));
  on_ = register_buffer("on", at::ones({1}, at::kLong));
  calibrate_again();
}

void FakeQuantizer::calibrate_again() {
  calibrated_on_ = 0;
  if (options_.range != RangeEstimate::moving_average) {
    estimator_ = std::make_unique<RangeEstimator>();
  }
  if (log_scale_.defined()) {
    unregister_parameter("log_scale");
    log_scale_ = at::Tensor();
  }
}

void FakeQuantizer::set_fake_quantization(bool on) {
  fake_quantizing_ = on;
  if (!on) return;
  take_estimate();
  if (log_scale_.defined() || !observed()) return;
  update_scale();
  if (options_.learned_step) learn_from(scale_.log());
}

bool FakeQuantizer::observed() const {
  return (estimator_ && !estimator_->empty()) ||
         min_val_.isfinite().logical_and(max_val_.isfinite()).all().item<bool>();
}

/// Whether the range moves with what comes.
bool FakeQuantizer::follows() const {
  return observing_ && !replaying_ && !log_scale_.defined() &&
         options_.range == RangeEstimate::moving_average;
}

bool FakeQuantizer::range_moves() const {
  return observing_ && options_.range == RangeEstimate::moving_average &&
         !(log_scale_.defined() && fake_quantizing_);
}

void FakeQuantizer::set_range(const at::Tensor& low, const at::Tensor& high) {
  const at::NoGradGuard no_grad;
  min_val_.copy_(low);
  max_val_.copy_(high);
  update_scale();
  if (log_scale_.defined()) log_scale_.copy_(scale_.log());
}

at::Tensor FakeQuantizer::fused(const at::Tensor& x, const at::Tensor& observer_on,
                                const at::Tensor& fake_quant_on, double share) {
  return at::fused_moving_avg_obs_fake_quant(x, observer_on, fake_quant_on, min_val_, max_val_,
                                             scale_, zero_point_, share, options_.quant_min,
                                             options_.quant_max, /*ch_axis=*/0,
                                             /*per_row_fake_quant=*/false, options_.symmetric);
}

/// What the next tensor counts for in a moving range.
double FakeQuantizer::next_share() {
  if (!calibrating_ || options_.averaging_constant == 1) return options_.averaging_constant;
  if (calibrated_on_ == 0) {
    min_val_.fill_(std::numeric_limits<float>::infinity());
    max_val_.fill_(-std::numeric_limits<float>::infinity());
  }
  return 1 / static_cast<double>(++calibrated_on_);
}

void FakeQuantizer::observe(const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  if (options_.range != RangeEstimate::moving_average) {
    if (estimator_) estimator_->add(x);
    return;
  }
  const double share = next_share();
  if (options_.channels == 0) {
    fused(x, on_, off_, share);
  } else {
    const auto [low, high] = x.flatten(1).aminmax(1);
    move_towards(min_val_, low, share);
    move_towards(max_val_, high, share);
  }
  if (!log_scale_.defined()) return;
  update_scale();
  log_scale_.copy_(scale_.log());
}

void FakeQuantizer::take_estimate() {
  if (!estimator_ || estimator_->empty()) return;
  std::pair<double, double> range = estimator_->min_max();
  if (options_.range == RangeEstimate::percentile) {
    range = estimator_->percentile(options_.percentile);
  } else if (options_.range == RangeEstimate::mse) {
    range = estimator_->least_squares(options_.quant_max - options_.quant_min, options_.symmetric);
  }
  min_val_.fill_(range.first);
  max_val_.fill_(range.second);
  estimator_.reset();
}

void FakeQuantizer::update_scale() {
  const at::NoGradGuard no_grad;
  if (options_.channels > 0) {
    choose_channel_scales(min_val_, max_val_, options_, scale_, zero_point_);
    return;
  }
  // The kernel computes scale and zero point from the range only on its way to an output.
  fused(at::zeros({1}, scale_.options()), off_, on_, options_.averaging_constant);
}

void FakeQuantizer::learn_from(const at::Tensor& log_scale) {
  const at::Tensor value = log_scale.detach().to(scale_.device()).clone();
  if (log_scale_.defined()) {
    const at::NoGradGuard no_grad;
    log_scale_.copy_(value);
  } else {
    log_scale_ = register_parameter("log_scale", value);
  }
}

void FakeQuantizer::share_step_with(FakeQuantizer& other) {
  const bool both_learn = log_scale_.defined() && other.log_scale_.defined();
  if (this == &other || !both_learn || options_.quant_min != other.options_.quant_min ||
      options_.quant_max != other.options_.quant_max || !at::equal(log_scale_, other.log_scale_) ||
      !at::equal(zero_point_, other.zero_point_)) {
    return;
  }
  unregister_parameter("log_scale");
  log_scale_ = other.log_scale_;
}

bool FakeQuantizer::is_like(const FakeQuantizer& other) const {
  return options_ == other.options_ && observing_ == other.observing_ &&
         fake_quantizing_ == other.fake_quantizing_ && !estimator_ && !other.estimator_ &&
         log_scale_.is_same(other.log_scale_) && at::equal(min_val_, other.min_val_) &&
         at::equal(max_val_, other.max_val_) && at::equal(scale_, other.scale_) &&
         at::equal(zero_point_, other.zero_point_);
}

at::Tensor FakeQuantizer::scale() const {
  return log_scale_.defined() ? log_scale_.detach().exp() : scale_;
}

at::Tensor FakeQuantizer::forward(const at::Tensor& x) {
  if ((!observing_ && !fake_quantizing_) || x.numel() == 0) return x;
  if (options_.channels == 0 && x.dim() == 3 && !x.is_contiguous() &&
      x.transpose(1, 2).is_contiguous()) {
    // Element by element it is the same, and PyTorch's kernels would undo the order of x's memory.
    return forward(x.transpose(1, 2)).transpose(1, 2);
  }
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const auto x32 = x.to(at::kFloat);
  if (!fake_quantizing_) {
    if (!replaying_) observe(x32.detach());
    return x;
  }
  const bool learns = observing_ && log_scale_.defined();
  return (learns ? with_learned_step(x32) : with_fixed_step(x32)).to(x.scalar_type());
}

at::Tensor FakeQuantizer::with_learned_step(const at::Tensor& x) {
  std::vector<int64_t> shape(std::max<int64_t>(x.dim(), 1), 1);
  if (options_.channels > 0) shape[0] = options_.channels;
  const double positive =
      static_cast<double>(options_.quant_max) -
      (options_.symmetric ? 0.5 * static_cast<double>(options_.quant_max + options_.quant_min) : 0);
  const double elements = static_cast<double>(x.numel()) / static_cast<double>(scale_.numel());
  const double share = 1 / std::sqrt(elements * positive);
  const at::Tensor exact = log_scale_.exp();
  const at::Tensor scale = (exact * share + (exact - exact * share).detach()).view(shape);
  const at::Tensor zero = zero_point_.to(at::kFloat).view(shape);
  const at::Tensor steps = x * scale.reciprocal();
  const at::Tensor clamped =
      at::minimum(at::maximum(steps, options_.quant_min - zero), options_.quant_max - zero);
  const at::Tensor rounded = clamped + (at::round(clamped) - clamped).detach();
  return rounded * scale;
}

at::Tensor FakeQuantizer::with_fixed_step(const at::Tensor& x) {
  const bool on_cpu = x.is_cpu();
  if (options_.channels == 0 && follows() && !on_cpu) {
    return fused(x, on_, on_, options_.averaging_constant);
  }
  if (follows() && !std::exchange(has_seen_, false)) {
    observe(x.detach());
    update_scale();
  }
  if (options_.channels > 0) {
    // An integer zero point makes PyTorch fetch its range from the device to check it.
    const auto zero_point = on_cpu ? zero_point_ : zero_point_.to(at::kFloat);
    return at::fake_quantize_per_channel_affine(x, scale(), zero_point, /*axis=*/0,
                                                options_.quant_min, options_.quant_max);
  }
  if (on_cpu) {
    const QuantizationGrid grid{scale().item<float>(), zero_point_.item<int>(), options_.quant_min,
                                options_.quant_max};
    return fake_quantize_on_cpu(x.contiguous(), grid);
  }
  return at::fake_quantize_per_tensor_affine(x, scale(), zero_point_, options_.quant_min,
                                             options_.quant_max);
}

FakeQuantizerState FakeQuantizer::state() const {
  return {min_val_.clone(),
          max_val_.clone(),
          scale().clone(),
          zero_point_.clone(),
          log_scale_.defined() ? log_scale_.detach().clone() : log_scale_,
          observing_,
          fake_quantizing_};
}

void FakeQuantizer::load_state(const FakeQuantizerState& state) {
  {
    const at::NoGradGuard no_grad;
    min_val_.copy_(state.min_val);
    max_val_.copy_(state.max_val);
    scale_.copy_(state.scale);
    zero_point_.copy_(state.zero_point);
  }
  if (state.log_scale.defined()) learn_from(state.log_scale);
  if (observed()) estimator_.reset();
  set_observer(state.observer_on);
  fake_quantizing_ = state.fake_quantization_on;
}

}  // namespace flowqat::model

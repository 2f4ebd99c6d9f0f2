/// Fake quantization with a moving-average observer, equal to PyTorch's
/// torch.ao.quantization.FusedMovingAvgObsFakeQuantize in output, gradient and state.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/quantization.h"
#include "model/torch/base/module.h"
#include "model/torch/base/tensor.h"
#include "model/torch/quantization/range_estimator.h"

namespace flowqat::model {

struct FakeQuantizerOptions {
  bool symmetric = false;  ///< zero point in the middle, unless everything seen has one sign
  int64_t channels = 0;    ///< scales along axis 0; 0: one for the whole tensor
  int64_t quant_min = 0;   ///< 0..255 for activations (quint8), -128..127 for weights (qint8)
  int64_t quant_max = 255;
  double averaging_constant = 0.01;  ///< c of the moving range; 1 follows the newest batch at once
  RangeEstimate range = RangeEstimate::moving_average;  ///< another only where channels is 0
  double percentile = 99.5;
  bool learned_step = false;

  bool operator==(const FakeQuantizerOptions&) const = default;
  static FakeQuantizerOptions activation(const LayerScheme& scheme);
  /// Constant 1; `channels` as above.
  static FakeQuantizerOptions weight(const LayerScheme& scheme, int64_t channels);
};

/// What a FakeQuantizer has learned and how it is switched.
struct FakeQuantizerState {
  at::Tensor min_val, max_val;   ///< float32, [] or [channels]; +inf and -inf: nothing seen
  at::Tensor scale, zero_point;  ///< float32 and int32, [1] or [channels]
  at::Tensor log_scale;          ///< float32 as scale, undefined before steps are learned
  bool observer_on = true, fake_quantization_on = false;
};

/// Range r <- r + c (x - r), begun by the first batch; then, with scale s and zero point z,
/// y = (clamp(round(x / s) + z, quant_min, quant_max) - z) s, and the gradient passes where nothing
/// was clamped (Jacob et al. 2018, arXiv:1712.05877, sections 2.1 and 3; Bengio et al. 2013,
/// arXiv:1308.3432, for the straight-through gradient).
///
/// Another range estimate collects until fake quantization is turned on and then stays. With a
/// learned step, the scale that calibration found becomes a parameter: the gradient of y with
/// respect to s is round(x / s) - x / s inside the range and the end of the grid, less z, outside
/// (LSQ, arXiv:1902.08153, equation 3), scaled by 1 / sqrt(elements Q) (section 2.2), where Q is
/// the grid's largest value above zero: quant_max, or half of the grid where it is symmetric. What
/// is stored is log s, so that a step of the optimizer changes large and small scales by the same
/// share (arXiv:1903.08066, section 3.2, learns a logarithm for that reason). The zero point stays.
/// While nothing is rounded any more but a moving range is observed, step and zero point follow it.
///
/// Works on any device; once calibrated, forward() never waits for it. Computes in float32 whatever
/// the input's type and autocast; the output has the input's type. Not thread-safe while observing;
/// frozen, it only reads.
class FakeQuantizer : public Module {
 public:
  explicit FakeQuantizer(const FakeQuantizerOptions& options);

  /// Any shape; per channel [channels, ...]. With both switches off, x itself.
  at::Tensor forward(const at::Tensor& x);

  /// A quantizer and what its forward() will be given next.
  struct Sight {
    FakeQuantizer* quantizer;
    at::Tensor x;
  };
  /// Lets those that follow what they see, each with scales of its own a channel, see it at once:
  /// the same bits in a few passes over all their channels instead of some fifty each. Their next
  /// forward() leaves the range as it is.
  static void see_together(const std::vector<Sight>& sights);

  void set_observer(bool on) {
    observing_ = on;
    has_seen_ = false;
  }
  /// Turning it on ends calibration: it computes scale and zero point from what was seen so far, if
  /// there is anything, unless the step is being learned. Waits for the device.
  void set_fake_quantization(bool on);
  /// While on and nothing is rounded, a moving range is the mean of all that is observed, each
  /// tensor counting as much as the first; off, it follows them as PyTorch's observer does.
  void set_calibrating(bool on) { calibrating_ = on; }
  /// While on, what forward() was given last is given again, for a backward: nothing is observed,
  /// and it is rounded as it was.
  void set_replaying(bool on) { replaying_ = on; }
  /// Whether forward() moves the range in training.
  bool range_moves() const;
  /// As if it had moved there: scale and zero point, and a learned step that is not rounded to,
  /// follow. Both [] or [channels].
  void set_range(const at::Tensor& low, const at::Tensor& high);
  /// Begins calibration anew.
  void calibrate_again();
  /// Learns one step with another quantizer from here on, which then is that one's parameter; only
  /// where both learn the same grid by now.
  void share_step_with(FakeQuantizer& other);
  /// Whether both, given the same from here on, do the same: a learned step is one parameter of
  /// both. Waits for the device.
  bool is_like(const FakeQuantizer& other) const;
  bool observer_on() const { return observing_; }
  bool fake_quantization_on() const { return fake_quantizing_; }
  const FakeQuantizerOptions& options() const { return options_; }

  /// FakeQuantizerState says what the buffers are. Frozen, a quantizer uses scale and zero point as
  /// they stand; while observing it computes them from the range.
  const at::Tensor& min_val() const { return min_val_; }
  const at::Tensor& max_val() const { return max_val_; }
  /// What the learned step is by now, where there is one.
  at::Tensor scale() const;
  /// The step of the grid that the last forward() rounded to; undefined where it rounded nothing.
  at::Tensor step() const { return fake_quantizing_ ? scale() : at::Tensor(); }
  const at::Tensor& zero_point() const { return zero_point_; }
  const at::Tensor& log_scale() const { return log_scale_; }
  /// Whether there is a range, finite everywhere. Waits for the device.
  bool observed() const;

  /// A deep copy, without what calibration has collected but not yet used.
  FakeQuantizerState state() const;
  /// Takes a copy, on this quantizer's device; shapes must be those of the options.
  void load_state(const FakeQuantizerState& state);

 private:
  bool follows() const;
  bool sees_with(const FakeQuantizer& other) const;
  void observe(const at::Tensor& x);
  double next_share();
  void take_estimate();
  void update_scale();
  void learn_from(const at::Tensor& log_scale);
  at::Tensor with_learned_step(const at::Tensor& x);
  at::Tensor with_fixed_step(const at::Tensor& x);
  at::Tensor fused(const at::Tensor& x, const at::Tensor& observer_on,
                   const at::Tensor& fake_quant_on, double share);

  FakeQuantizerOptions options_;
  bool observing_ = true, fake_quantizing_ = false;
  bool has_seen_ = false;  ///< what forward() will be given
  bool calibrating_ = false, replaying_ = false;
  int64_t calibrated_on_ = 0;  ///< tensors that the mean is of
  at::Tensor min_val_, max_val_, scale_, zero_point_;
  at::Tensor log_scale_;  ///< a parameter, once there is a scale to learn from
  at::Tensor off_, on_;   ///< [1] int64: 0 and 1, as PyTorch's kernels read their switches
  std::unique_ptr<RangeEstimator> estimator_;  ///< while calibrating with another estimate
};

/// Whether a parameter of a network, by its name, is a learned step.
inline bool is_learned_step(const std::string& parameter) {
  return parameter.ends_with("fake_quantizer.log_scale");
}

}  // namespace flowqat::model

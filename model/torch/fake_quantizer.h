/// Fake quantization with a moving-average observer, equal to PyTorch's
/// torch.ao.quantization.FusedMovingAvgObsFakeQuantize in output, gradient and state.
#pragma once
#include <torch/torch.h>

#include <cstdint>

namespace flowqat::model {

struct FakeQuantizerOptions {
  bool symmetric = false;  ///< zero point in the middle, unless everything seen has one sign
  int64_t channels = 0;    ///< scales along axis 0 (then symmetric); 0: one for the whole tensor
  int64_t quant_min = 0;   ///< 0..255 for activations (quint8), -128..127 for weights (qint8)
  int64_t quant_max = 255;
  double averaging_constant = 0.01;  ///< c of the moving range; 1 follows the newest batch at once

  static FakeQuantizerOptions activation(bool symmetric, double averaging_constant);
  /// Symmetric, -128..127, constant 1; `channels` as above.
  static FakeQuantizerOptions weight(int64_t channels);
};

/// What a FakeQuantizer has learned and how it is switched.
struct FakeQuantizerState {
  torch::Tensor min_val, max_val;   ///< float32, [] or [channels]; +inf and -inf: nothing seen
  torch::Tensor scale, zero_point;  ///< float32 and int32, [1] or [channels]
  bool observer_on = true, fake_quantization_on = false;
};

/// Range r <- r + c (x - r), begun by the first batch; then, with scale s and zero point z,
/// y = (clamp(round(x / s) + z, quant_min, quant_max) - z) s, and the gradient passes where nothing
/// was clamped (Jacob et al. 2018, arXiv:1712.05877, sections 2.1 and 3; Bengio et al. 2013,
/// arXiv:1308.3432, for the straight-through gradient).
///
/// Works on any device; forward() never waits for it. Computes in float32 whatever the input's type
/// and autocast; the output has the input's type. Not thread-safe while observing; frozen, it only
/// reads.
class FakeQuantizer : public torch::nn::Module {
 public:
  /// Throws Error for a per-channel affine quantizer, which no scheme uses.
  explicit FakeQuantizer(const FakeQuantizerOptions& options);

  /// Any shape; per channel [channels, ...]. With both switches off, x itself.
  torch::Tensor forward(const torch::Tensor& x);

  void set_observer(bool on);
  /// Turning it on computes scale and zero point from the range seen so far, if there is one. Waits
  /// for the device.
  void set_fake_quantization(bool on);
  bool observer_on() const { return observing_; }
  bool fake_quantization_on() const { return fake_quantizing_; }
  const FakeQuantizerOptions& options() const { return options_; }

  /// FakeQuantizerState says what the buffers are. Frozen, a quantizer uses scale and zero point as
  /// they stand; while observing it computes them from the range.
  const torch::Tensor& min_val() const { return min_val_; }
  const torch::Tensor& max_val() const { return max_val_; }
  const torch::Tensor& scale() const { return scale_; }
  const torch::Tensor& zero_point() const { return zero_point_; }
  /// Whether every range is finite. Waits for the device.
  bool observed() const;

  /// A deep copy.
  FakeQuantizerState state() const;
  /// Takes a copy, on this quantizer's device; shapes must be those of the options.
  void load_state(const FakeQuantizerState& state);

 private:
  void observe(const torch::Tensor& x);
  void update_scale();
  torch::Tensor fused(const torch::Tensor& x, const torch::Tensor& observer_on,
                      const torch::Tensor& fake_quant_on);

  FakeQuantizerOptions options_;
  bool observing_ = true, fake_quantizing_ = false;
  torch::Tensor min_val_, max_val_, scale_, zero_point_;
  /// [1] int64: the switches again, where PyTorch's kernels read them.
  torch::Tensor observer_on_, fake_quant_on_;
};

}  // namespace flowqat::model

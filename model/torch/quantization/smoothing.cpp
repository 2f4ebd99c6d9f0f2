// The part of QuantizableLayer that smooths channels (SmoothQuant, arXiv:2211.10438).
#include <ATen/ops/maximum.h>

#include "model/model.h"
#include "model/torch/quantization/quantizable_layer.h"

namespace flowqat::model {
namespace {

constexpr double least_peak = 1e-5;

/// The largest magnitude of each channel along `axis`.
at::Tensor peaks_along(const at::Tensor& tensor, int64_t axis) {
  return tensor.detach().transpose(0, axis).flatten(1).abs().amax(1).to(at::kFloat);
}

}  // namespace

/// A convolution's channels are axis 1, a linear layer's are the last.
int64_t QuantizableLayer::channel_axis(const at::Tensor& x) const {
  return weight_shape_.size() > 2 ? 1 : x.dim() - 1;
}

at::Tensor QuantizableLayer::smoothed_input(const at::Tensor& x, const InputFactor& factor) const {
  if (!factor.defined()) return x;
  std::vector<int64_t> shape(x.dim(), 1);
  shape[channel_axis(x)] = -1;
  return x / factor.view(shape);
}

at::Tensor QuantizableLayer::smoothed_weight(const InputFactor& factor) const {
  const at::Tensor w = float_weight();
  if (!factor.defined()) return w;
  std::vector<int64_t> shape(w.dim(), 1);
  shape[1] = -1;
  return w * factor.view(shape);
}

bool QuantizableLayer::awaits_factor() const {
  const auto* const fake = std::get_if<FakeQuantized>(&state_);
  return fake && fake->scheme.smoothing > 0 && !fake->input_factor.defined();
}

void QuantizableLayer::look_for_peaks(const at::Tensor& x) {
  FakeQuantized& fake = require_fake_quantized("smooth");
  if (!fake.input->observer_on() || x.numel() == 0) return;
  const at::NoGradGuard no_grad;
  const at::Tensor peaks = peaks_along(x, channel_axis(x));
  fake.input_peaks = fake.input_peaks.defined() ? at::maximum(fake.input_peaks, peaks) : peaks;
}

void QuantizableLayer::choose_factor(const std::vector<QuantizableLayer*>& layers) {
  const at::NoGradGuard no_grad;
  at::Tensor inputs, weights;
  const auto add = [](at::Tensor& all, const at::Tensor& peaks) {
    all = all.defined() ? at::maximum(all, peaks) : peaks;
  };
  for (QuantizableLayer* const layer : layers) {
    const at::Tensor& heard = layer->require_fake_quantized("smooth").input_peaks;
    if (!heard.defined()) {
      throw Error(layer->path_ +
                  ": smoothing needs the peaks of the input, but no batch was observed; calibrate "
                  "with audio that reaches this layer");
    }
    const at::Tensor weight = peaks_along(layer->float_weight(), 1);
    if (heard.numel() != weight.numel())
      throw Error(layer->path_ + ": \"smoothing\" is for layers of one group; give this one 0");
    add(inputs, heard);
    add(weights, weight);
  }
  for (QuantizableLayer* const layer : layers) {
    FakeQuantized& fake = layer->require_fake_quantized("smooth");
    const double alpha = fake.scheme.smoothing;
    fake.input_factor =
        inputs.clamp_min(least_peak).pow(alpha) / weights.clamp_min(least_peak).pow(1 - alpha);
    fake.input_peaks = at::Tensor();
  }
}

}  // namespace flowqat::model

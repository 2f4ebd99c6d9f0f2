#pragma once
#include "model/torch/base/tensor.h"
#include "model/torch/quantization/fake_quantizer.h"

namespace flowqat::model {

/// Scale (float32) and zero point (int32) of every channel from its range, all [channels], into the
/// tensors given: PyTorch's rule (ChooseQuantizationParams of its quantization utilities), for all
/// channels at once and without leaving the device. PyTorch's own per-channel kernel waits for the
/// device, and on the CPU visits the channels one by one.
void choose_channel_scales(const at::Tensor& min_val, const at::Tensor& max_val,
                           const FakeQuantizerOptions& options, at::Tensor& scale,
                           at::Tensor& zero_point);

}  // namespace flowqat::model

#pragma once
#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// Pinned memory's copy on a device that is not the CPU. It is made on a stream beside the current
/// one, as soon as the host asks for it: where the host is ahead of the device, as it is between
/// steps that wait for nothing, that is while earlier steps still compute. What is launched on the
/// current stream from here on comes behind it. Does not wait for the device.
at::Tensor copy_ahead(const at::Tensor& pinned, const at::Device& device);

}  // namespace flowqat::model

#pragma once
#include "model/activation.h"
#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// Element by element, differentiable.
at::Tensor activate(Activation activation, const at::Tensor& x);

}  // namespace flowqat::model

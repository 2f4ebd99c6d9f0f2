#pragma once
#include <torch/torch.h>

#include "model/activation.h"

namespace flowqat::model {

/// Element by element, differentiable.
torch::Tensor activate(Activation activation, const torch::Tensor& x);

}  // namespace flowqat::model

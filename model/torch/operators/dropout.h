#pragma once
#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// x with a share p of its elements zero and the others divided by 1 - p; x itself where `training`
/// is false or p is 0. Differentiable.
///
/// On the CPU in float32 the choice is a function of a key, drawn from the CPU's default generator
/// at each call, and of an element's index (Philox-4x32-10: Salmon et al. 2011, "Parallel random
/// numbers: as easy as 1, 2, 3"): the same at any number of threads, and made again in backward
/// rather than kept. Elsewhere it is at::dropout.
at::Tensor apply_dropout(const at::Tensor& x, double p, bool training);

/// residual + apply_dropout(x), in one pass on the CPU.
at::Tensor add_dropout(const at::Tensor& x, const at::Tensor& residual, double p, bool training);

}  // namespace flowqat::model

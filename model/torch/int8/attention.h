#pragma once
#include "model/torch/base/tensor.h"
#include "model/torch/int8/engine_kernel.h"

namespace flowqat::model {

/// Queries, keys and values as their layers leave them: uint8 [rows, frames, hidden], contiguous.
struct AttentionBytes {
  at::Tensor q, k, v;
  ActivationScale q_scale, k_scale, v_scale;
};

/// softmax(q kᵀ / sqrt(head width)) v of the dequantized operands for each head, [rows, frames,
/// hidden]: float32, or uint8 on the grid of `out` where that is given. The products of queries and
/// keys are exact integers; the rest is float32. key_mask: undefined, or bool [rows, 1, 1, frames],
/// true where a frame may be attended to. On several threads, and only where has_vnni().
at::Tensor int8_attention(const AttentionBytes& x, int64_t heads, const at::Tensor& key_mask,
                          const ActivationScale* out);

}  // namespace flowqat::model

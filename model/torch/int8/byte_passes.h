/// What stands between the integer products: passes over activations in uint8. All of it only where
/// has_vnni(), on several threads.
#pragma once
#include <cstdint>

#include "model/torch/base/tensor.h"
#include "model/torch/int8/engine_kernel.h"
#include "model/torch/operators/activate.h"

namespace flowqat::model {

/// A byte for each of the 256: what an output of one layer is as the input of the next.
struct ByteTable {
  alignas(64) uint8_t of[256];
};

/// round(x / scale) + zero_point, clamped to 0..255, as at::quantize_per_tensor rounds: float32 of
/// any shape to uint8, contiguous.
at::Tensor quantize_bytes(const at::Tensor& x, const ActivationScale& scale);
/// (q - zero_point) scale: uint8, contiguous, to float32.
at::Tensor dequantize_bytes(const at::Tensor& q, const ActivationScale& scale);

/// float32 [256]: activation((q - zero_point) scale) of each q.
at::Tensor activated(Activation activation, const ActivationScale& from);
/// quantize(activation(dequantize(q))) of each q.
ByteTable activation_table(Activation activation, const ActivationScale& from,
                           const ActivationScale& to);

/// y[i] = table[i % rows of the table][x[i]]: x uint8 [..., channels], table [256] for all channels
/// or [channels, 256], of floats or bytes; y of x's shape and the table's type.
at::Tensor map_bytes(const at::Tensor& x, const at::Tensor& table);

/// Sum and sum of squares of each channel of x [frames, channels], uint8: both [channels], int64.
struct ByteMoments {
  at::Tensor sum, square;
};
ByteMoments moments_of(const at::Tensor& x);

}  // namespace flowqat::model

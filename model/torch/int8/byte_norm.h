/// Residual sum, layer norm and quantization of frames in one pass.
#pragma once
#include "model/torch/base/tensor.h"
#include "model/torch/int8/engine_kernel.h"

namespace flowqat::model {

/// What add_norm() adds up, and the norm it applies. Undefined tensors are left out.
struct AddNorm {
  at::Tensor x;      ///< float32 [..., channels], contiguous
  at::Tensor bytes;  ///< uint8 of the same shape, added as it dequantizes
  ActivationScale bytes_scale;
  at::Tensor weight, bias;  ///< of the norm: float32 [channels]
  double epsilon = 1e-5;
};

struct Normed {
  at::Tensor sum;     ///< x + dequantize(bytes)
  at::Tensor normed;  ///< its layer norm over the channels
  at::Tensor bytes;   ///< quantize(normed)
};

/// Sum and norm of each frame, of which only what is wanted is written: the sum, the norm, and the
/// norm quantized where `scale` is given. On several threads, and only where has_vnni().
Normed add_norm(const AddNorm& from, bool want_sum, bool want_normed, const ActivationScale* scale);

}  // namespace flowqat::model

/// Residual sum, layer norm and quantization of frames in one pass.
#pragma once
#include <torch/torch.h>

#include "model/torch/int8/engine_kernel.h"

namespace flowqat::model {

/// What add_norm() adds up, and the norm it applies. Undefined tensors are left out.
struct AddNorm {
  torch::Tensor x;      ///< float32 [..., channels], contiguous
  torch::Tensor bytes;  ///< uint8 of the same shape, added as it dequantizes
  ActivationScale bytes_scale;
  torch::Tensor weight, bias;  ///< of the norm: float32 [channels]
  double epsilon = 1e-5;
};

struct Normed {
  torch::Tensor sum;     ///< x + dequantize(bytes)
  torch::Tensor normed;  ///< its layer norm over the channels
  torch::Tensor bytes;   ///< quantize(normed)
};

/// Sum and norm of each frame, of which only what is wanted is written: the sum, the norm, and the
/// norm quantized where `scale` is given. On several threads, and only where has_vnni().
Normed add_norm(const AddNorm& from, bool want_sum, bool want_normed, const ActivationScale* scale);

}  // namespace flowqat::model

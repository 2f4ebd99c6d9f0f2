#pragma once
#include <cstdint>

#include "model/torch/base/tensor.h"

namespace flowqat::model {

struct QuantizationGrid {
  float scale;
  int64_t zero_point, quant_min, quant_max;
};

/// at::fake_quantize_per_tensor_affine to the bit, for x in float32 on the CPU: PyTorch's kernel
/// rounds and clamps an element at a time. x is contiguous.
at::Tensor fake_quantize_on_cpu(const at::Tensor& x, const QuantizationGrid& grid);

}  // namespace flowqat::model

/// Every use of LibTorch's quantized operators, which upstream has deprecated: the one file to
/// change when they go.
#pragma once
#include <ATen/core/ivalue.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "model/quantization.h"
#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// One scale and zero point of a whole quint8 activation: x ~ (q - zero_point) scale, q in
/// 0..highest.
struct ActivationScale {
  double scale = 1;
  int64_t zero_point = 0;
  int64_t highest = 255;
};

/// All numbers of an int8 layer, on the CPU.
struct Int8Parameters {
  QuantEngine engine = QuantEngine::fbgemm;
  ActivationScale input, output;
  at::Tensor weight;             ///< int8, [out, in] or [out, in, kernel]
  at::Tensor weight_scale;       ///< float32, [1] or [out]
  at::Tensor weight_zero_point;  ///< int32, the same shape
  at::Tensor bias;               ///< float32 [out], or undefined
};

/// A linear layer where `stride` is empty; else a conv1d.
struct Int8Geometry {
  std::optional<int64_t> stride;
  int64_t padding = 0, groups = 1;
};

/// Weights packed for one engine, and how to run them. Immutable: clones share it, and several
/// threads may run it. The engine is the packed object's own, whatever LibTorch's global engine is.
class Int8Kernel {
 public:
  /// Throws Error when this LibTorch or processor has no such engine, naming those that it has.
  Int8Kernel(const Int8Parameters& parameters, const Int8Geometry& geometry);

  /// Quantizes x (float32, on the CPU), runs, and dequantizes. Shapes as the float layer's.
  at::Tensor run(const at::Tensor& x) const;

  const ActivationScale& input() const { return input_; }
  const ActivationScale& output() const { return output_; }
  QuantEngine engine() const { return engine_; }
  /// What was packed: int8 as in Int8Parameters (unpacked at each call), scale and zero point.
  at::Tensor weight() const;
  const at::Tensor& weight_scale() const { return weight_scale_; }
  const at::Tensor& weight_zero_point() const { return weight_zero_point_; }

 private:
  QuantEngine engine_;
  /// The engine that really runs: FBGEMM's layers go to QNNPACK on processors without VNNI, on
  /// which FBGEMM's sums saturate.
  QuantEngine packed_for_;
  Int8Geometry geometry_;
  ActivationScale input_, output_;
  at::Tensor weight_scale_, weight_zero_point_;
  c10::IValue packed_;
};

/// round(weight / scale) + zero_point, clamped to the grid: int8 on the CPU, as the fake quantizer
/// rounds. Scale and zero point as in Int8Parameters.
at::Tensor quantize_weight(const at::Tensor& weight, const at::Tensor& scale,
                           const at::Tensor& zero_point, const GridEnds& grid);

}  // namespace flowqat::model

/// The product of a layer that stayed in float32.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "model/activation.h"
#include "runtime/compute/context.h"

namespace flowqat::runtime {

/// Applies the function to each value: GELU and ReLU at full speed, the others one by one.
void activate(const Kernels& kernels, model::Activation activation, float* x, int64_t count);
/// Of one value.
double activated(model::Activation activation, double x);

/// Where lines of floats go: to `floats` as they are, or to steps of `grid` of the values times
/// `factor` (null: none), [out].
struct FloatOutput {
  float* floats = nullptr;
  uint8_t* bytes = nullptr;
  ByteGrid grid;
  const float* factor = nullptr;
  int64_t stride = 0;  ///< from line to line, in values
};

/// Lines of floats times a matrix of floats, plus a bias: each sum in the order of the depth, so
/// that it comes out the same on every target. Immutable.
class FloatProduct {
 public:
  /// weight: [out, depth]; bias: [out] or null.
  FloatProduct(const Kernels& kernels, int64_t out, int64_t depth, const float* weight,
               const float* bias);

  /// x: `rows` lines of depth() floats, `row_stride` apart. `activation`, where given, is applied.
  void run(Context& context, const float* x, int64_t rows, int64_t row_stride,
           std::optional<model::Activation> activation, const FloatOutput& y) const;

  int64_t depth() const { return depth_; }
  int64_t out() const { return out_; }

 private:
  struct Task;
  void run_task(const Kernels& kernels, Stack& scratch, const Task& task) const;

  int64_t out_, depth_, columns_;  // columns of a full tile
  std::vector<float> packed_;      // tile by tile, [depth][columns]
  std::vector<float> bias_;        // [out], zeros where there is none
};

}  // namespace flowqat::runtime

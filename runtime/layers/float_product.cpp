#include "runtime/layers/float_product.h"

#include <algorithm>
#include <cmath>

namespace flowqat::runtime {
namespace {

using model::Activation;

/// So much of a tile's weights stays in the second cache while all lines of a task pass.
constexpr int64_t cached_bytes = 256 * 1024;
/// What a task's lines may take of it.
constexpr int64_t line_bytes = 256 * 1024;
constexpr int64_t tasks_a_thread = 4;

}  // namespace

double activated(Activation activation, double x) {
  switch (activation) {
    case Activation::gelu:
      return x * 0.5 * (1 + std::erf(x * std::sqrt(0.5)));
    case Activation::gelu_tanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::relu6:
      return std::clamp(x, 0.0, 6.0);
    case Activation::leaky_relu:
      return x > 0 ? x : 0.01 * x;
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::mish:
      return x * std::tanh(std::log1p(std::exp(x)));
    case Activation::hardswish:
      return x * std::clamp(x + 3, 0.0, 6.0) / 6;
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
  }
  return x;
}

void activate(const Kernels& kernels, Activation activation, float* x, int64_t count) {
  if (activation == Activation::gelu) return kernels.floats.gelu(x, count);
  if (activation == Activation::relu) {
    for (int64_t i = 0; i < count; ++i) x[i] = std::max(x[i], 0.0f);
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    x[i] = static_cast<float>(activated(activation, double{x[i]}));
  }
}

/// Lines [begin, end) by one tile's columns.
struct FloatProduct::Task {
  const float* x;
  int64_t row_stride;
  std::optional<Activation> activation;
  const FloatOutput* y;
  int64_t begin, end, column;
};

FloatProduct::FloatProduct(const Kernels& kernels, int64_t out, int64_t depth, const float* weight,
                           const float* bias)
    : out_(out), depth_(depth), columns_(kernels.floats.columns_of_tile) {
  packed_.resize(static_cast<size_t>(padded_columns(out) * depth));
  bias_.resize(static_cast<size_t>(padded_columns(out)));
  if (bias) std::copy_n(bias, out, bias_.data());
  for (int64_t column = 0; column < out; ++column) {
    const int64_t tile = column / columns_ * columns_;
    const int64_t width = std::min(columns_, padded_columns(out - tile));
    float* const to = packed_.data() + tile * depth + (column - tile);
    for (int64_t i = 0; i < depth; ++i) to[i * width] = weight[column * depth + i];
  }
}

void FloatProduct::run_task(const Kernels& kernels, Stack& scratch, const Task& task) const {
  const Scope scope(scratch);
  const FloatPasses& passes = kernels.floats;
  const int64_t rows = task.end - task.begin;
  const int64_t width = std::min(columns_, padded_columns(out_ - task.column));
  const int64_t count = std::min(width, out_ - task.column);
  const float* const x = task.x + task.begin * task.row_stride;
  const float* const weights = packed_.data() + task.column * depth_;
  float* const sums = scratch.take<float>(rows * width);
  const int64_t step = cached_bytes / (width * int64_t{sizeof(float)});
  for (int64_t part = 0; part < depth_; part += step) {
    for (int64_t row = 0; row < rows; row += passes.rows_of_tile) {
      passes.tile(std::min(passes.rows_of_tile, rows - row), width,
                  x + row * task.row_stride + part, task.row_stride, weights + part * width,
                  std::min(step, depth_ - part), part > 0, sums + row * width);
    }
  }
  const FloatOutput& y = *task.y;
  for (int64_t row = 0; row < rows; ++row) {
    float* const line = sums + row * width;
    for (int64_t c = 0; c < count; ++c) line[c] += bias_[static_cast<size_t>(task.column + c)];
    if (task.activation) activate(kernels, *task.activation, line, count);
    const int64_t at = (task.begin + row) * y.stride + task.column;
    if (y.floats) std::copy_n(line, count, y.floats + at);
    if (y.bytes) {
      kernels.bytes.quantize(line, y.factor ? y.factor + task.column : nullptr, count, y.grid,
                             y.bytes + at);
    }
  }
}

void FloatProduct::run(Context& context, const float* x, int64_t rows, int64_t row_stride,
                       std::optional<Activation> activation, const FloatOutput& y) const {
  const int64_t rows_of_tile = context.kernels.floats.rows_of_tile;
  const int64_t tiles = (out_ + columns_ - 1) / columns_;
  const int64_t wanted = tasks_a_thread * context.threads.count();
  int64_t height = std::max<int64_t>(1, line_bytes / (row_stride * int64_t{sizeof(float)}));
  height = std::min(height, std::max<int64_t>(1, rows * tiles / wanted));
  height = (height + rows_of_tile - 1) / rows_of_tile * rows_of_tile;
  const int64_t bands = (rows + height - 1) / height;
  context.threads.run(bands * tiles, [&](int64_t task, int slot) {
    const int64_t band = task / tiles;
    run_task(context.kernels, context.scratch[static_cast<size_t>(slot)],
             {x, row_stride, activation, &y, band * height, std::min(rows, (band + 1) * height),
              task % tiles * columns_});
  });
}

}  // namespace flowqat::runtime

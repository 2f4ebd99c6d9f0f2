#include "model/torch/operators/bf16_product.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "model/torch/operators/bf16_tile.h"

namespace flowqat::model {
namespace {

/// Depth that is multiplied at a time: a panel of columns then stays in the second cache.
constexpr int64_t kBlockPairs = 512;
/// Panels of columns a task, so that few rows too make work for every thread.
constexpr int64_t kTaskPanels = 8;

int64_t parts(int64_t whole, int64_t part) { return (whole + part - 1) / part; }

Bf16Source source(const at::Tensor& matrix, const float* steps, bool step_a_line) {
  return {.values = matrix.const_data_ptr<float>(),
          .lines = matrix.size(0),
          .depth = matrix.size(1),
          .line_stride = matrix.stride(0),
          .depth_stride = matrix.stride(1),
          .steps = steps,
          .step_a_line = step_a_line};
}

const float* data_of(const at::Tensor& step) {
  return step.defined() ? step.const_data_ptr<float>() : nullptr;
}

bool has_side_by_side(const at::Tensor& matrix) {
  return matrix.stride(0) == 1 || matrix.stride(1) == 1;
}

/// All panels of a matrix, one behind the other, each [pairs][width].
class Packed {
 public:
  Packed(const Bf16Source& from, int64_t width)
      : width_(width),
        pairs_(parts(from.depth, 2)),
        panels_(parts(from.lines, width)),
        memory_(at::empty({panels_ * pairs_ * width}, at::kInt)) {
    auto* const to = reinterpret_cast<uint32_t*>(memory_.mutable_data_ptr<int>());
    const int64_t blocks = parts(pairs_, kBlockPairs);
    at::parallel_for(0, panels_ * blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t panel = task / blocks, first = task % blocks * kBlockPairs;
        pack_bf16(from, panel * width, width, first, std::min(pairs_, first + kBlockPairs),
                  to + (panel * pairs_ + first) * width);
      }
    });
    data_ = to;
  }

  int64_t panels() const { return panels_; }
  int64_t pairs() const { return pairs_; }
  const uint32_t* at(int64_t panel, int64_t pair) const {
    return data_ + (panel * pairs_ + pair) * width_;
  }

 private:
  int64_t width_, pairs_, panels_;
  at::Tensor memory_;
  const uint32_t* data_ = nullptr;
};

struct Product {
  const Packed &a, &b;
  float* to;
  int64_t stride, rows, columns;
  const Bf16Epilogue& epilogue;
  bool adds;

  /// One panel of rows with panels [first, last) of columns.
  void run(int64_t panel, int64_t first, int64_t last) const {
    for (int64_t pair = 0; pair < a.pairs(); pair += kBlockPairs) {
      const int64_t count = std::min(kBlockPairs, a.pairs() - pair);
      for (int64_t side = first; side < last; ++side) multiply(panel, side, pair, count);
    }
  }

 private:
  void multiply(int64_t panel, int64_t side, int64_t pair, int64_t count) const {
    const int64_t column = side * kColumnPanel;
    const Bf16Epilogue its{.factor = epilogue.factor,
                           .factors = epilogue.factors ? epilogue.factors + column : nullptr,
                           .bias = epilogue.bias ? epilogue.bias + column : nullptr};
    const bool ends = pair + count == a.pairs();
    for (int64_t row = 0; row < kRowPanel; row += kTileRows) {
      const int64_t first_row = panel * kRowPanel + row;
      if (first_row >= rows) break;
      multiply_bf16(a.at(panel, pair) + row, b.at(side, pair), count,
                    to + first_row * stride + column, stride, std::min(kTileRows, rows - first_row),
                    std::min(kColumnPanel, columns - column), adds || pair > 0,
                    ends ? &its : nullptr);
    }
  }
};

}  // namespace

const float* Grids::input_steps() const { return data_of(input_step); }
const float* Grids::weight_steps() const { return data_of(weight_step); }
const float* Grids::factors() const { return has_step_a_channel() ? weight_steps() : nullptr; }

float Grids::factor() const {
  if (!input_step.defined()) return 1;
  return input_steps()[0] * (has_step_a_channel() ? 1 : weight_steps()[0]);
}

void bf16_product_into(float* to, int64_t stride, const Bf16Source& a, const Bf16Source& b,
                       const Bf16Epilogue& epilogue, bool adds) {
  const Packed rows(a, kRowPanel), columns(b, kColumnPanel);
  const Product product{.a = rows,
                        .b = columns,
                        .to = to,
                        .stride = stride,
                        .rows = a.lines,
                        .columns = b.lines,
                        .epilogue = epilogue,
                        .adds = adds};
  const int64_t groups = parts(columns.panels(), kTaskPanels);
  at::parallel_for(0, rows.panels() * groups, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task % groups * kTaskPanels;
      product.run(task / groups, first, std::min(columns.panels(), first + kTaskPanels));
    }
  });
}

at::Tensor bf16_product(const at::Tensor& a, const at::Tensor& b,
                        const std::optional<at::Tensor>& bias, const Grids& grids) {
  const at::Tensor x = has_side_by_side(a) ? a : a.contiguous();
  const at::Tensor w = has_side_by_side(b) ? b : b.contiguous();
  at::Tensor y = at::empty({x.size(0), w.size(0)}, x.options());
  const at::Tensor added = bias && bias->defined() ? bias->contiguous() : at::Tensor();
  bf16_product_into(y.mutable_data_ptr<float>(), y.size(1), source(x, grids.input_steps(), false),
                    source(w, grids.weight_steps(), grids.has_step_a_channel()),
                    {.factor = grids.factor(), .factors = grids.factors(), .bias = data_of(added)});
  return y;
}

}  // namespace flowqat::model

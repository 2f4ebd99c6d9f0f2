#include "model/torch/operators/cpu_matmul.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sum.h>

#include <atomic>
#include <optional>
#include <string_view>

#include "base/simd/vectorize.h"

namespace flowqat::model {
namespace {

using LinearOp = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                            std::string_view, c10::List<std::optional<at::Scalar>>,
                            std::optional<std::string_view>);

const std::optional<c10::TypedOperatorHandle<LinearOp>>& linear_op() {
  static const auto op = []() -> std::optional<c10::TypedOperatorHandle<LinearOp>> {
    const auto found = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
    if (!at::globalContext().userEnabledMkldnn() || !at::hasMKLDNN() || !found) return {};
    return found->typed<LinearOp>();
  }();
  return op;
}

std::atomic<CpuProducts> products_in = CpuProducts::float32;

constexpr int64_t tile = 16;

/// Columns [first, last) of from [rows, columns] as rows of `to`, and their sums.
FLOWQAT_INLINE void transpose(const float* from, int64_t rows, int64_t columns, int64_t first,
                              int64_t last, float* to, float* sums) {
  for (int64_t column = first; column < last; column += tile) {
    const int64_t width = std::min(tile, last - column);
    float total[tile] = {};
    for (int64_t row = 0; row < rows; row += tile) {
      const int64_t height = std::min(tile, rows - row);
      float block[tile][tile];  // transposed
      if (width == tile && height == tile) {
        for (int64_t r = 0; r < tile; ++r) {
          const float* line = from + (row + r) * columns + column;
          for (int64_t c = 0; c < tile; ++c) {
            block[c][r] = line[c];
            total[c] += line[c];
          }
        }
        for (int64_t c = 0; c < tile; ++c) {
          float* out = to + (column + c) * rows + row;
          for (int64_t r = 0; r < tile; ++r) out[r] = block[c][r];
        }
        continue;
      }
      for (int64_t r = 0; r < height; ++r) {
        const float* line = from + (row + r) * columns + column;
        for (int64_t c = 0; c < width; ++c) {
          to[(column + c) * rows + row + r] = line[c];
          total[c] += line[c];
        }
      }
    }
    for (int64_t c = 0; c < width; ++c) sums[column + c] = total[c];
  }
}

}  // namespace

bool has_cpu_matmul(const at::Tensor& x, const at::Tensor& weight) {
  return x.is_cpu() && weight.is_cpu() && x.scalar_type() == at::kFloat &&
         weight.scalar_type() == at::kFloat && x.numel() > 0 && linear_op();
}

void use_cpu_products(CpuProducts products) { products_in = products; }
CpuProducts cpu_products() { return products_in; }

at::Tensor cpu_matmul(const at::Tensor& x, const at::Tensor& weight,
                      const std::optional<at::Tensor>& bias, const Grids& grids) {
  if (products_in == CpuProducts::bf16) return bf16_product(x, weight, bias, grids);
  return linear_op()->call(x, weight, bias, "none", c10::List<std::optional<at::Scalar>>(), "");
}

at::Tensor cpu_matmul_transposed(const at::Tensor& y, const at::Tensor& x, at::Tensor* sums) {
  if (products_in == CpuProducts::bf16) {
    if (sums) *sums = at::sum(y, 0);
    return bf16_product(y.t(), x.t());
  }
  const int64_t rows = y.size(0), columns = y.size(1);
  at::Tensor transposed = at::empty({columns, rows}, y.options());
  at::Tensor totals = at::empty({columns}, y.options());
  const float* const from = y.const_data_ptr<float>();
  float* const to = transposed.mutable_data_ptr<float>();
  float* const total = totals.mutable_data_ptr<float>();
  const int64_t tiles = (columns + tile - 1) / tile;
  at::parallel_for(0, tiles, 1, [&](int64_t first, int64_t last) {
    vectorized<transpose>(from, rows, columns, first * tile, std::min(columns, last * tile), to,
                          total);
  });
  if (sums) *sums = totals;
  return cpu_matmul(transposed, x.t());
}

}  // namespace flowqat::model

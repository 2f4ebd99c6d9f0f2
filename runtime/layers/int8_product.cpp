#include "runtime/layers/int8_product.h"

#include <algorithm>
#include <cstdlib>

namespace flowqat::runtime {
namespace {

/// What a task's lines may take of the second cache, beside the weights.
constexpr int64_t cached_bytes = 256 * 1024;
/// So many tasks a thread that none waits long for another.
constexpr int64_t tasks_a_thread = 4;
/// Columns of a task: for so many, lines are made operands once.
constexpr int64_t panel_columns = 128;

bool pairs_are_small(const Int8Numbers& numbers) {
  for (int64_t column = 0; column < numbers.out; ++column) {
    const int8_t* const line = numbers.weight.data() + column * numbers.depth;
    for (int64_t i = 0; i < numbers.depth; i += 2) {
      const int second = i + 1 < numbers.depth ? std::abs(int{line[i + 1]}) : 0;
      if (std::abs(int{line[i]}) + second > 128) return false;
    }
  }
  return true;
}

const Int8Tile& tile_for(const Kernels& kernels, const Int8Numbers& numbers) {
  for (const Int8Tile& tile : kernels.tiles) {
    if (!tile.small_pairs || pairs_are_small(numbers)) return tile;
  }
  return kernels.tiles.back();
}

int64_t bytes_of(Operand operand) { return operand == Operand::words ? 2 : 1; }

}  // namespace

/// Lines [begin, end) by the columns of a panel.
struct Int8Product::Task {
  const uint8_t* x;
  int64_t row_stride;
  const ProductOutput* y;
  int64_t begin, end, panel;
};

Int8Product::Int8Product(const Kernels& kernels, const Int8Numbers& numbers)
    : tile_(&tile_for(kernels, numbers)),
      out_(numbers.out),
      depth_(numbers.depth),
      input_(numbers.input),
      output_(numbers.output) {
  const int64_t packed_depth = tile_->groups_of(depth_) * tile_->group;
  const auto columns = static_cast<size_t>(padded_columns(out_));
  packed_.resize(columns * static_cast<size_t>(packed_depth));
  for (int64_t column = 0; column < out_; column += tile_->columns) {
    const int64_t width = tile_->width_of(out_ - column);
    pack_tile(*tile_, numbers.weight.data() + column * depth_, depth_,
              std::min(width, out_ - column), width, depth_,
              packed_.data() + column * packed_depth);
  }
  multiplier_.resize(columns);
  offset_.resize(columns);
  correction_.resize(columns);
  const bool has_zero_points =
      std::any_of(numbers.weight_zero_point.begin(), numbers.weight_zero_point.end(),
                  [](int32_t zero) { return zero != 0; });
  if (has_zero_points) weight_zero_point_.resize(columns);
  const int64_t input_zero =
      input_.zero_point - (tile_->operand == Operand::signed_bytes ? 128 : 0);
  const auto of = [](const auto& values, size_t column) {
    return values[values.size() == 1 ? 0 : column];
  };
  for (size_t column = 0; column < static_cast<size_t>(out_); ++column) {
    const int8_t* const line = numbers.weight.data() + column * static_cast<size_t>(depth_);
    int64_t sum = 0;
    for (int64_t i = 0; i < depth_; ++i) sum += line[i];
    const int64_t zero = of(numbers.weight_zero_point, column);
    correction_[column] = static_cast<int32_t>(input_zero * (depth_ * zero - sum));
    if (has_zero_points) weight_zero_point_[column] = static_cast<int32_t>(zero);
    multiplier_[column] = static_cast<float>(double{of(numbers.weight_scale, column)} *
                                             double{input_.scale} / double{output_.scale});
    if (!numbers.bias.empty()) {
      offset_[column] = static_cast<float>(double{numbers.bias[column]} / double{output_.scale});
    }
  }
}

void Int8Product::run_task(const Kernels& kernels, Stack& scratch, const Task& task) const {
  const Scope scope(scratch);
  const int64_t rows = task.end - task.begin;
  const uint8_t* const x = task.x + task.begin * task.row_stride;
  int32_t* sums_of_rows = nullptr;
  if (!weight_zero_point_.empty()) {
    sums_of_rows = scratch.take<int32_t>(rows);
    kernels.bytes.row_sums(x, rows, task.row_stride, depth_, sums_of_rows);
    if (tile_->operand == Operand::signed_bytes) {
      for (int64_t r = 0; r < rows; ++r) {
        sums_of_rows[r] -= static_cast<int32_t>(128 * depth_);
      }
    }
  }
  const int64_t groups = tile_->groups_of(depth_);
  const int64_t operand_bytes = bytes_of(tile_->operand);
  const void* operands = x;
  if (tile_->operand != Operand::bytes) {
    const int64_t count = (rows - 1) * task.row_stride + groups * tile_->group;
    void* const made = scratch.take<uint8_t>(count * operand_bytes);
    kernels.bytes.to_operand(tile_->operand, x, count, made);
    operands = made;
  }
  auto* const sums = scratch.take<int32_t>(tile_->rows * tile_->columns);
  const int64_t end = std::min(out_, task.panel + std::max(panel_columns, tile_->columns));
  for (int64_t column = task.panel; column < end; column += tile_->columns) {
    const int64_t width = tile_->width_of(out_ - column);
    const Columns columns{
        .multiplier = multiplier_.data() + column,
        .offset = offset_.data() + column,
        .correction = correction_.data() + column,
        .weight_zero_point = sums_of_rows ? weight_zero_point_.data() + column : nullptr,
        .count = std::min(width, out_ - column)};
    const int8_t* const weights = packed_.data() + column * groups * tile_->group;
    for (int64_t row = 0; row < rows; row += tile_->rows) {
      const int64_t height = std::min(tile_->rows, rows - row);
      tile_->run(height, width,
                 static_cast<const uint8_t*>(operands) + row * task.row_stride * operand_bytes,
                 task.row_stride, weights, groups, sums);
      ProductOutput y = *task.y;
      const int64_t at = (task.begin + row) * y.stride + column;
      if (y.bytes) y.bytes += at;
      if (y.floats) y.floats += at;
      kernels.bytes.requantize(sums, height, width, columns,
                               sums_of_rows ? sums_of_rows + row : nullptr, output_, y);
    }
  }
}

void Int8Product::run(Context& context, const uint8_t* x, int64_t rows, int64_t row_stride,
                      const ProductOutput& y) const {
  const int64_t panel = std::max(panel_columns, tile_->columns);
  const int64_t panels = (out_ + panel - 1) / panel;
  const int64_t wanted = tasks_a_thread * context.threads.count();
  int64_t height = std::max<int64_t>(1, cached_bytes / (row_stride * bytes_of(tile_->operand)));
  height = std::min(height, std::max<int64_t>(1, rows * panels / wanted));
  height = (height + tile_->rows - 1) / tile_->rows * tile_->rows;
  const int64_t bands = (rows + height - 1) / height;
  context.threads.run(bands * panels, [&](int64_t task, int slot) {
    const int64_t band = task / panels;
    run_task(context.kernels, context.scratch[static_cast<size_t>(slot)],
             {x, row_stride, &y, band * height, std::min(rows, (band + 1) * height),
              task % panels * panel});
  });
}

}  // namespace flowqat::runtime

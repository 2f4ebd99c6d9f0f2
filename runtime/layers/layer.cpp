#include "runtime/layers/layer.h"

#include <algorithm>
#include <cmath>

namespace flowqat::runtime {
namespace {

constexpr int64_t values_a_task = 32 * 1024;

std::variant<Int8Product, FloatProduct> product_of(const Kernels& kernels,
                                                   const LayerNumbers& layer) {
  if (const auto* const int8 = std::get_if<Int8Numbers>(&layer.numbers)) {
    return Int8Product(kernels, *int8);
  }
  const auto& floats = std::get<FloatNumbers>(layer.numbers);
  return FloatProduct(kernels, floats.out, floats.depth, floats.weight.data(),
                      floats.bias.empty() ? nullptr : floats.bias.data());
}

}  // namespace

uint8_t to_byte(float x, const ByteGrid& grid) {
  const float steps = std::clamp(x * (1.0f / grid.scale), static_cast<float>(-grid.zero_point),
                                 static_cast<float>(grid.highest - grid.zero_point));
  return static_cast<uint8_t>(static_cast<int32_t>(std::nearbyint(steps)) + grid.zero_point);
}

std::vector<float> activated_grid(const std::optional<model::Activation>& activation,
                                  const ByteGrid& grid) {
  std::vector<float> table(256);
  for (int q = 0; q < 256; ++q) {
    const float value = static_cast<float>(q - grid.zero_point) * grid.scale;
    table[static_cast<size_t>(q)] =
        activation ? static_cast<float>(activated(*activation, double{value})) : value;
  }
  return table;
}

Values take_values(Stack& memory, const Wanted& wanted, int64_t count) {
  if (wanted.grid) return {nullptr, memory.take<uint8_t>(count)};
  return {memory.take<float>(count), nullptr};
}

void to_wanted(Context& context, const float* x, int64_t lines, int64_t channels,
               const Wanted& wanted, const Values& y) {
  const int64_t lines_a_task = std::max<int64_t>(1, values_a_task / channels);
  const int64_t tasks = (lines + lines_a_task - 1) / lines_a_task;
  context.threads.run(tasks, [&](int64_t task, int) {
    const int64_t begin = task * lines_a_task, end = std::min(lines, begin + lines_a_task);
    if (!wanted.grid) {
      std::copy(x + begin * channels, x + end * channels, y.floats + begin * channels);
    } else if (!wanted.factor) {
      context.kernels.bytes.quantize(x + begin * channels, nullptr, (end - begin) * channels,
                                     *wanted.grid, y.bytes + begin * channels);
    } else {
      for (int64_t line = begin; line < end; ++line) {
        context.kernels.bytes.quantize(x + line * channels, wanted.factors(), channels,
                                       *wanted.grid, y.bytes + line * channels);
      }
    }
  });
}

Layer::Layer(const Kernels& kernels, const LayerNumbers& numbers)
    : product_(product_of(kernels, numbers)) {
  if (const auto* const int8 = std::get_if<Int8Product>(&product_)) {
    out_ = int8->out();
    wanted_.grid = int8->input();
    if (!numbers.factor.empty()) {
      wanted_.factor = std::make_shared<const std::vector<float>>(numbers.factor);
    }
  } else {
    out_ = std::get<FloatProduct>(product_).out();
  }
}

void Layer::set_output(const std::optional<model::Activation>& activation, const Wanted& next) {
  activation_ = activation;
  next_ = next;
  const auto* const int8 = std::get_if<Int8Product>(&product_);
  if (!int8) return;
  // Its own grid, as it is: no table.
  if (!activation && next.grid == int8->output() && !next.factor) return;
  const std::vector<float> table = activated_grid(activation, int8->output());
  if (!next.grid || next.factor) {
    float_table_ = table;
    return;
  }
  byte_table_.emplace();
  for (size_t q = 0; q < 256; ++q) byte_table_->of[q] = to_byte(table[q], *next.grid);
}

void Layer::run(Context& context, const Values& x, int64_t rows, int64_t row_stride,
                const Values& y, int64_t stride) const {
  if (const auto* const floats = std::get_if<FloatProduct>(&product_)) {
    FloatOutput output{.floats = y.floats, .bytes = y.bytes, .grid = {}, .stride = stride};
    if (next_.grid) output.grid = *next_.grid;
    output.factor = next_.factors();
    floats->run(context, x.floats, rows, row_stride, activation_, output);
    return;
  }
  const auto& int8 = std::get<Int8Product>(product_);
  if (next_.factor) {  // a factor a channel has no table
    const Scope scope(context.memory);
    auto* const values = context.memory.take<float>(rows * out_);
    int8.run(context, x.bytes, rows, row_stride,
             {.float_table = float_table_.data(), .floats = values, .stride = out_});
    to_wanted(context, values, rows, out_, next_, y);
    return;
  }
  int8.run(context, x.bytes, rows, row_stride,
           {.byte_table = byte_table_ ? &*byte_table_ : nullptr,
            .float_table = float_table_.data(),
            .bytes = y.bytes,
            .floats = y.floats,
            .stride = stride});
}

}  // namespace flowqat::runtime

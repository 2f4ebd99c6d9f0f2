#include "model/torch/int8/product.h"

#include <ATen/Context.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <random>
#include <vector>

#include "model/torch/int8/cpu_features.h"
#include "model/torch/int8/tile.h"
#include "model/torch/network/layers.h"
#include "tests/catch.h"
#include "tests/model/quantization/quantized_layers.h"

using namespace flowqat::model;

namespace {

/// Bytes of [lowest, highest], or only these two.
at::Tensor bytes(std::vector<int64_t> shape, int lowest, int highest, bool extremes,
                 at::ScalarType type) {
  const at::Tensor values = extremes ? at::randint(0, 2, shape) * (highest - lowest) + lowest
                                     : at::randint(lowest, highest + 1, shape);
  return values.to(type);
}

/// The same in double, term by term.
at::Tensor expected_steps(const at::Tensor& windows, const Int8Parameters& p) {
  const int64_t out = p.weight.size(0);
  at::Tensor weight = p.weight.dim() == 3 ? p.weight.transpose(1, 2) : p.weight;
  weight = weight.reshape({out, -1}).to(at::kDouble);
  const at::Tensor zero = p.weight_zero_point.to(at::kDouble).expand({out}).view({out, 1});
  const at::Tensor sums = (windows.to(at::kDouble) - double(p.input.zero_point))
                              .matmul((weight - zero).transpose(0, 1));
  at::Tensor y = sums * (p.weight_scale.to(at::kDouble).expand({out}) * p.input.scale);
  if (p.bias.defined()) y = y + p.bias.to(at::kDouble);
  return y / p.output.scale + double(p.output.zero_point);
}

/// Within half a step and what float32 adds to it.
void check_steps(const at::Tensor& found, const at::Tensor& steps) {
  const at::Tensor far = (found.to(at::kDouble) - steps.clamp(0, 255)).abs();
  CHECK(far.max().item<double>() < 0.5 + 1e-3);
}

Int8Parameters parameters(std::vector<int64_t> weight_shape, bool extremes, bool weight_zero,
                          bool bias) {
  const int64_t out = weight_shape[0];
  int64_t depth = 1;
  for (size_t i = 1; i < weight_shape.size(); ++i) depth *= weight_shape[i];
  Int8Parameters p;
  p.weight = bytes(weight_shape, -128, 127, extremes, at::kChar);
  p.weight_scale = at::rand({out}) * 0.01 + 0.001;
  p.weight_zero_point =
      weight_zero ? at::randint(-128, 128, {out}, at::kInt) : at::zeros({out}, at::kInt);
  if (bias) p.bias = at::randn({out});
  p.input = {0.02, at::randint(0, 256, {}).item<int64_t>()};
  p.output = {0.02 * 0.006 * 100 * std::sqrt(double(depth)),
              at::randint(0, 256, {}).item<int64_t>()};
  return p;
}

}  // namespace

TEST_CASE("a tile's sums are those of a plain loop, whatever its size and the bytes") {
  if (!testing::vnni_or_skip()) return;
  std::mt19937 random(1);
  const auto draw = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  for (int trial = 0; trial < 300; ++trial) {
    const int rows = draw(1, 6), columns = draw(1, 64), depth = draw(1, 70);
    const int stride = draw(1, depth + 9);  // rows may overlap
    const bool extremes = trial % 3 == 0;
    const auto size = static_cast<size_t>((rows - 1) * stride + depth);
    std::vector<uint8_t> a(size);  // to the byte: what is read behind it, a sanitizer sees
    for (auto& byte : a) byte = static_cast<uint8_t>(extremes ? 255 * draw(0, 1) : draw(0, 255));
    std::vector<int8_t> b(static_cast<size_t>(columns * depth));
    for (auto& byte : b) {
      byte = static_cast<int8_t>(extremes ? 255 * draw(0, 1) - 128 : draw(-128, 127));
    }
    std::vector<int8_t> packed(static_cast<size_t>(padded_columns(columns) * padded_depth(depth)));
    pack_int8_tile(b.data(), depth, columns, depth, packed.data());
    std::vector<int32_t> sums(tile_rows * tile_columns, 0x5a5a5a5a);
    int8_tile(rows, padded_columns(columns), a.data(), stride, packed.data(), depth, sums.data());
    INFO(rows << " x " << columns << ", depth " << depth << ", stride " << stride);
    bool same = true;
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) {
        int32_t sum = 0;
        for (int i = 0; i < depth; ++i) {
          sum +=
              a[static_cast<size_t>(row * stride + i)] * b[static_cast<size_t>(column * depth + i)];
        }
        same = same && sum == sums[static_cast<size_t>(row * tile_columns + column)];
      }
    }
    REQUIRE(same);
  }
}

TEST_CASE("fast int8 products are rounded from exact sums, with every kind of zero point") {
  if (!testing::vnni_or_skip()) return;
  at::manual_seed(1);
  for (const bool extremes : {false, true}) {
    for (const bool weight_zero : {false, true}) {
      for (const auto& [rows, in, out] :
           std::vector<std::tuple<int64_t, int64_t, int64_t>>{{1, 1, 1},
                                                              {7, 5, 3},
                                                              {13, 768, 100},
                                                              {100, 33, 64},
                                                              {499, 130, 129},
                                                              {6, 3072, 16}}) {
        INFO(rows << " x " << in << " -> " << out << (extremes ? ", extremes" : "")
                  << (weight_zero ? ", weight zero points" : ""));
        const auto p = parameters({out, in}, extremes, weight_zero, rows % 2 == 1);
        const auto x = bytes({rows, in}, 0, 255, extremes, at::kByte);
        check_steps(FastInt8(p, {}).apply(x), expected_steps(x, p));
      }
    }
  }
}

TEST_CASE("fast int8 convolutions are products over overlapping windows of every row") {
  if (!testing::vnni_or_skip()) return;
  at::manual_seed(2);
  for (const auto& [in, out, kernel, stride, frames] :
       std::vector<std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t>>{{1, 32, 10, 5, 403},
                                                                            {1, 7, 10, 5, 10},
                                                                            {16, 24, 3, 2, 41},
                                                                            {7, 9, 3, 2, 8},
                                                                            {512, 70, 2, 2, 100}}) {
    INFO(in << " -> " << out << ", kernel " << kernel);
    for (const bool weight_zero : {false, true}) {
      const auto p = parameters({out, in, kernel}, false, weight_zero, true);
      const auto x = bytes({3, frames, in}, 0, 255, false, at::kByte);
      const auto windows =
          x.unfold(1, kernel, stride).transpose(2, 3).reshape({3, -1, kernel * in});
      const auto found = FastInt8(p, {.stride = stride}).apply(x);
      check_steps(found, expected_steps(windows, p));
      ByteTable reversed;
      for (int i = 0; i < 256; ++i) reversed.of[i] = static_cast<uint8_t>(255 - i);
      CHECK(at::equal(FastInt8(p, {.stride = stride}).apply(x, &reversed), 255 - found));
    }
  }
}

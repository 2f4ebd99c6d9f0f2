/// The inner loop of every product of floats. Read once for each instruction set.
#if defined(FLOWQAT_RUNTIME_FLOAT_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FLOWQAT_RUNTIME_FLOAT_TILE_INL_H
#undef FLOWQAT_RUNTIME_FLOAT_TILE_INL_H
#else
#define FLOWQAT_RUNTIME_FLOAT_TILE_INL_H
#endif

#include <algorithm>
#include <cstring>

#include "runtime/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace flowqat::runtime {
namespace HWY_NAMESPACE {
namespace {

// As many sums as stay in registers, beside what is multiplied.
constexpr int64_t rows_of_tile = width == 1 ? 1 : 6;
constexpr int64_t columns_of_tile = width >= 16 ? 64 : 16;

/// Adds the products of `depth` floats to the sums, each of which stays in a register: GCC keeps
/// arrays in registers where each loop over them is a single one.
template <int64_t rows, int64_t columns>
void multiply(const float* a, int64_t stride, const float* b, int64_t depth, float* sums) {
  constexpr int64_t registers = columns / width;
  hn::Vec<FloatTag> sum[rows * registers];
  _Pragma("GCC unroll 64") for (int64_t i = 0; i < rows * registers; ++i) sum[i] =
      hn::LoadU(FloatTag(), sums + i * width);
  for (int64_t step = 0; step < depth; ++step) {
    _Pragma("GCC unroll 64") for (int64_t i = 0; i < rows * registers; ++i) {
      const auto value = hn::Set(FloatTag(), a[i / registers * stride]);
      const auto weight = hn::LoadU(FloatTag(), b + width * (i % registers));
#if HWY_TARGET == HWY_SCALAR
      sum[i] = hn::Set(
          FloatTag(), __builtin_fmaf(hn::GetLane(value), hn::GetLane(weight), hn::GetLane(sum[i])));
#else
      sum[i] = hn::MulAdd(value, weight, sum[i]);
#endif
    }
    ++a;
    b += columns;
  }
  _Pragma("GCC unroll 64") for (int64_t i = 0; i < rows * registers; ++i)
      hn::StoreU(sum[i], FloatTag(), sums + i * width);
}

using Multiply = void (*)(const float*, int64_t, const float*, int64_t, float*);

template <int64_t rows>
Multiply multiply_of(int64_t columns) {
  if constexpr (columns_of_tile == 64) {
    if (columns == 64) return multiply<rows, 64>;
    if (columns == 48) return multiply<rows, 48>;
    if (columns == 32) return multiply<rows, 32>;
  }
  return multiply<rows, 16>;
}

void tile(int64_t rows, int64_t columns, const float* a, int64_t stride, const float* b,
          int64_t depth, bool add, float* sums) {
  if (!add) std::memset(sums, 0, static_cast<size_t>(rows * columns) * sizeof(float));
  if constexpr (rows_of_tile == 1) return multiply<1, 16>(a, stride, b, depth, sums);
  switch (rows) {
    case 1:
      return multiply_of<1>(columns)(a, stride, b, depth, sums);
    case 2:
      return multiply_of<2>(columns)(a, stride, b, depth, sums);
    case 3:
      return multiply_of<3>(columns)(a, stride, b, depth, sums);
    case 4:
      return multiply_of<4>(columns)(a, stride, b, depth, sums);
    case 5:
      return multiply_of<5>(columns)(a, stride, b, depth, sums);
    default:
      return multiply_of<6>(columns)(a, stride, b, depth, sums);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace flowqat::runtime
HWY_AFTER_NAMESPACE();
#endif

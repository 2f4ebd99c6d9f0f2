#include "model/torch/int8/float_tile.h"

#include <cstring>

#include "model/torch/int8/lanes.h"

namespace flowqat::model {

#if FLOWQAT_HAS_VNNI_CODE
namespace {

/// As tile.cpp's.
template <int rows, int vectors>
FLOWQAT_VNNI void multiply(const float* a, int64_t stride, const float* b, int64_t depth,
                           float* sums) {
  __m512 sum[rows * vectors];
#pragma GCC unroll 24
  for (int i = 0; i < rows * vectors; ++i) {
    sum[i] = _mm512_loadu_ps(sums + i / vectors * tile_columns + i % vectors * lanes);
  }
  for (int64_t step = 0; step < depth; ++step) {
#pragma GCC unroll 24
    for (int i = 0; i < rows * vectors; ++i) {
      sum[i] = _mm512_fmadd_ps(_mm512_set1_ps(a[i / vectors * stride + step]),
                               _mm512_loadu_ps(b + i % vectors * lanes), sum[i]);
    }
    b += vectors * lanes;
  }
#pragma GCC unroll 24
  for (int i = 0; i < rows * vectors; ++i) {
    _mm512_storeu_ps(sums + i / vectors * tile_columns + i % vectors * lanes, sum[i]);
  }
}

using Multiply = void (*)(const float*, int64_t, const float*, int64_t, float*);

template <int rows>
constexpr Multiply of_width[] = {multiply<rows, 1>, multiply<rows, 2>, multiply<rows, 3>,
                                 multiply<rows, 4>};
constexpr const Multiply* of_rows[] = {of_width<1>, of_width<2>, of_width<3>,
                                       of_width<4>, of_width<5>, of_width<6>};

}  // namespace

void float_tile(int64_t rows, int64_t columns, const float* a, int64_t stride, const float* b,
                int64_t depth, bool add, float* sums) {
  if (!add) std::memset(sums, 0, static_cast<size_t>(rows * tile_columns) * sizeof(float));
  of_rows[rows - 1][columns / lanes - 1](a, stride, b, depth, sums);
}

#else

void float_tile(int64_t, int64_t, const float*, int64_t, const float*, int64_t, bool, float*) {
  refuse_without_vnni("float_tile");
}

#endif

}  // namespace flowqat::model

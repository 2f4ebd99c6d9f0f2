#include "model/torch/int8/tile.h"

#include <cstring>

#include "model/torch/int8/lanes.h"

namespace flowqat::model {

#if FLOWQAT_HAS_VNNI_CODE
namespace {

/// Adds the products of `steps` groups of four to the sums, each of which stays in a register: at
/// most 24 of the 32, beside 4 of weights and 1 of activations. (GCC keeps arrays in registers
/// where each loop over them is a single one, and nothing but loads precedes the products.)
template <int rows, int vectors>
FLOWQAT_VNNI void multiply(const uint8_t* a, int64_t stride, const int8_t* b, int64_t steps,
                           int32_t* sums) {
  __m512i sum[rows * vectors];
#pragma GCC unroll 24
  for (int i = 0; i < rows * vectors; ++i) {
    sum[i] = _mm512_loadu_si512(sums + i / vectors * tile_columns + i % vectors * lanes);
  }
  for (int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 24
    for (int i = 0; i < rows * vectors; ++i) {
      int32_t four;
      std::memcpy(&four, a + i / vectors * stride, 4);
      sum[i] = _mm512_dpbusd_epi32(sum[i], _mm512_set1_epi32(four),
                                   _mm512_loadu_si512(b + 64 * (i % vectors)));
    }
    a += 4;
    b += 64 * vectors;
  }
#pragma GCC unroll 24
  for (int i = 0; i < rows * vectors; ++i) {
    _mm512_storeu_si512(sums + i / vectors * tile_columns + i % vectors * lanes, sum[i]);
  }
}

using Multiply = void (*)(const uint8_t*, int64_t, const int8_t*, int64_t, int32_t*);

template <int rows>
constexpr Multiply of_width[] = {multiply<rows, 1>, multiply<rows, 2>, multiply<rows, 3>,
                                 multiply<rows, 4>};
constexpr const Multiply* of_rows[] = {of_width<1>, of_width<2>, of_width<3>,
                                       of_width<4>, of_width<5>, of_width<6>};

}  // namespace

void int8_tile(int64_t rows, int64_t columns, const uint8_t* a, int64_t stride, const int8_t* b,
               int64_t depth, int32_t* sums) {
  const Multiply multiply_tile = of_rows[rows - 1][columns / lanes - 1];
  std::memset(sums, 0, static_cast<size_t>(rows * tile_columns) * sizeof(int32_t));
  multiply_tile(a, stride, b, depth / 4, sums);
  if (depth % 4 == 0) return;
  uint8_t rest[tile_rows][4] = {};
  for (int64_t r = 0; r < rows; ++r) {
    std::memcpy(rest[r], a + r * stride + depth / 4 * 4, static_cast<size_t>(depth % 4));
  }
  multiply_tile(rest[0], 4, b + depth / 4 * 4 * columns, 1, sums);
}

#else

void int8_tile(int64_t, int64_t, const uint8_t*, int64_t, const int8_t*, int64_t, int32_t*) {
  refuse_without_vnni("int8_tile");
}

#endif

void pack_int8_tile(const int8_t* rows, int64_t stride, int64_t columns, int64_t depth, int8_t* b) {
  const int64_t width = padded_columns(columns);
  std::memset(b, 0, static_cast<size_t>(width * padded_depth(depth)));
  for (int64_t column = 0; column < columns; ++column) {
    const int8_t* row = rows + column * stride;
    for (int64_t i = 0; i < depth; i += 4) {
      std::memcpy(b + i * width + column * 4, row + i,
                  static_cast<size_t>(i + 4 <= depth ? 4 : depth - i));
    }
  }
}

}  // namespace flowqat::model

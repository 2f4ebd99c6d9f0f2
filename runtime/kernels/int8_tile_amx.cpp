/// AMX: a register of 16 rows of 64 bytes times 64 rows of 16 columns in one instruction (Intel's
/// Architecture Instruction Set Extensions, chapter 3).
#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "runtime/kernels/int8_tile.h"

namespace flowqat::runtime {
namespace {

#define FLOWQAT_AMX __attribute__((target("avx512f,amx-tile,amx-int8")))

constexpr int64_t rows_a_register = 16, columns_a_register = 16, groups_a_register = 16;

/// The shape of the eight registers, as the instruction that sets it reads it.
struct alignas(64) Shapes {
  uint8_t palette = 1, start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t bytes_a_row[16] = {};
  uint8_t rows[16] = {};
};

/// Register 0 and 1 hold the sums of 16 columns each, 2 the activations, 3 and 4 the weights.
FLOWQAT_AMX void shape(int64_t rows, int64_t groups) {
  Shapes shapes;
  for (const int sums : {0, 1}) {
    shapes.bytes_a_row[sums] = 64;
    shapes.rows[sums] = static_cast<uint8_t>(rows);
  }
  shapes.bytes_a_row[2] = static_cast<uint16_t>(4 * groups);
  shapes.rows[2] = static_cast<uint8_t>(rows);
  for (const int weights : {3, 4}) {
    shapes.bytes_a_row[weights] = 64;
    shapes.rows[weights] = static_cast<uint8_t>(groups);
  }
  _tile_loadconfig(&shapes);
}

/// Of up to 16 rows and `columns`, 16 or 32; adds to what `sums` hold.
FLOWQAT_AMX void add_products(int64_t rows, int64_t columns, const uint8_t* a, int64_t stride,
                              const int8_t* b, int64_t groups, int64_t steps, int32_t* sums) {
  shape(rows, groups);
  const int64_t sums_stride = columns * 4, line = columns * 4;
  const bool both = columns > columns_a_register;
  _tile_loadd(0, sums, sums_stride);
  if (both) _tile_loadd(1, sums + columns_a_register, sums_stride);
  for (int64_t step = 0; step < steps; ++step) {
    _tile_loadd(2, a, stride);
    _tile_loadd(3, b, line);
    _tile_dpbusd(0, 2, 3);
    if (both) {
      _tile_loadd(4, b + 64, line);
      _tile_dpbusd(1, 2, 4);
    }
    a += 4 * groups;
    b += groups * line;
  }
  _tile_stored(0, sums, sums_stride);
  if (both) _tile_stored(1, sums + columns_a_register, sums_stride);
  _tile_release();
}

void run(int64_t rows, int64_t columns, const void* a, int64_t stride, const int8_t* b,
         int64_t groups, int32_t* sums) {
  std::memset(sums, 0, static_cast<size_t>(rows * columns) * sizeof(int32_t));
  const auto* const bytes = static_cast<const uint8_t*>(a);
  const int64_t steps = groups / groups_a_register, rest = groups % groups_a_register;
  const int64_t whole = steps * groups_a_register;
  for (int64_t row = 0; row < rows; row += rows_a_register) {
    const int64_t some = std::min(rows_a_register, rows - row);
    const uint8_t* const x = bytes + row * stride;
    int32_t* const y = sums + row * columns;
    if (steps > 0) add_products(some, columns, x, stride, b, groups_a_register, steps, y);
    if (rest > 0) {
      add_products(some, columns, x + 4 * whole, stride, b + 4 * whole * columns, rest, 1, y);
    }
  }
}

}  // namespace

const Int8Tile kAmxTile{"AMX", 32, 32, 4, Operand::bytes, false, run};

}  // namespace flowqat::runtime
#endif

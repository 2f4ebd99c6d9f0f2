/// The inner loop of every integer product.
#pragma once
#include <cstdint>

#include "model/torch/int8/tile_size.h"

namespace flowqat::model {

/// The bytes of `depth` packed weights a column: whole groups of four.
constexpr int64_t padded_depth(int64_t depth) { return (depth + 3) / 4 * 4; }

/// sums[row][column] = sum over depth of a[row][i] b[column][i], exactly, in 32 bits.
/// a: `rows` (1 to tile_rows) rows of `depth` bytes, `stride` bytes apart; nothing behind them is
/// read. b: padded_depth(depth) / 4 groups of [columns][4] bytes, zero behind the depth, with
/// `columns` a multiple of 16 up to tile_columns. sums: [rows][tile_columns], the first `columns`
/// written. Only where has_vnni().
void int8_tile(int64_t rows, int64_t columns, const uint8_t* a, int64_t stride, const int8_t* b,
               int64_t depth, int32_t* sums);

/// Packs rows of `depth` signed bytes, `stride` bytes apart, as the columns of one tile's b:
/// `columns` of them, zeros behind these up to padded_columns(columns).
void pack_int8_tile(const int8_t* rows, int64_t stride, int64_t columns, int64_t depth, int8_t* b);

}  // namespace flowqat::model

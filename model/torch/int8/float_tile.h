/// The inner loop of the float products beside the integer ones.
#pragma once
#include <cstdint>

#include "model/torch/int8/tile_size.h"

namespace flowqat::model {

/// sums[row][column] = sum over depth of a[row][i] b[i][column], added to what is there where
/// `add`. a: `rows` (1 to tile_rows) rows of `depth` floats, `stride` floats apart. b:
/// [depth][columns], `columns` a multiple of 16 up to tile_columns. sums: [rows][tile_columns], the
/// first `columns` written. Only where has_vnni().
void float_tile(int64_t rows, int64_t columns, const float* a, int64_t stride, const float* b,
                int64_t depth, bool add, float* sums);

}  // namespace flowqat::model

/// The tile of sums that the products of bytes and of floats compute at once.
#pragma once
#include <cstdint>

namespace flowqat::model {

constexpr int64_t tile_rows = 6;      ///< the most rows of a tile
constexpr int64_t tile_columns = 64;  ///< the most columns: four registers of sixteen sums

/// Columns of the tile from the `columns` that are left: whole registers.
constexpr int64_t padded_columns(int64_t columns) {
  return columns >= tile_columns ? tile_columns : (columns + 15) / 16 * 16;
}

}  // namespace flowqat::model

/// What the tiles of sums of all targets fit into.
#pragma once
#include <cstdint>

namespace flowqat::runtime {

constexpr int64_t most_tile_rows = 32;     ///< of a tile of sums
constexpr int64_t most_tile_columns = 64;  ///< the same; whole sixteens

/// `columns` as whole sixteens, which packed weights always have.
constexpr int64_t padded_columns(int64_t columns) { return (columns + 15) / 16 * 16; }

}  // namespace flowqat::runtime

#include "runtime/kernels/int8_tile.h"

#include <cstdlib>
#include <random>
#include <vector>

#include "runtime/kernels/byte_passes.h"
#include "tests/catch.h"

using namespace flowqat;
using namespace flowqat::runtime;

namespace {

class Draw {
 public:
  int operator()(int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random_);
  }

 private:
  std::mt19937 random_{1};
};

/// Of the tile's operands, which are more bytes than values where these are words.
std::vector<uint8_t> operands_of(Target target, const Int8Tile& tile,
                                 const std::vector<uint8_t>& x) {
  std::vector<uint8_t> made(2 * x.size());
  byte_passes(target).to_operand(tile.operand, x.data(), static_cast<int64_t>(x.size()),
                                 made.data());
  return made;
}

}  // namespace

TEST_CASE("a tile's sums are those of a plain loop, whatever its size and the bytes") {
  for (const Target target : targets_here()) {
    for (const Int8Tile& tile : int8_tiles(target)) {
      Draw draw;
      for (int trial = 0; trial < 300; ++trial) {
        const int rows = draw(1, static_cast<int>(tile.rows));
        const int columns = draw(1, static_cast<int>(tile.columns));
        const int depth = draw(1, 150);
        const int stride = draw(1, depth + 9);  // rows may overlap
        const bool extremes = trial % 3 == 0;
        const int64_t groups = tile.groups_of(depth), width = tile.width_of(columns);
        // Behind the last row lie bytes that may be read, but count for nothing.
        std::vector<uint8_t> a(static_cast<size_t>((rows - 1) * stride + groups * tile.group + 64));
        for (auto& byte : a) {
          byte = static_cast<uint8_t>(extremes ? 255 * draw(0, 1) : draw(0, 255));
        }
        const int most = tile.small_pairs ? 64 : 127;
        std::vector<int8_t> b(static_cast<size_t>(columns * depth));
        for (auto& byte : b) {
          byte = static_cast<int8_t>(extremes ? (draw(0, 1) ? most : -most) : draw(-most, most));
          if (extremes && most == 127 && draw(0, 3) == 0) byte = -128;
        }
        std::vector<int8_t> packed(static_cast<size_t>(width * groups * tile.group), 99);
        pack_tile(tile, b.data(), depth, columns, width, depth, packed.data());
        std::vector<int32_t> sums(static_cast<size_t>(rows * width), 0x5a5a5a5a);
        tile.run(rows, width, operands_of(target, tile, a).data(), stride, packed.data(), groups,
                 sums.data());
        INFO(tile.name << ": " << rows << " x " << columns << ", depth " << depth << ", stride "
                       << stride);
        const int shift = tile.operand == Operand::signed_bytes ? 128 : 0;
        bool same = true;
        for (int row = 0; row < rows; ++row) {
          for (int column = 0; column < columns; ++column) {
            int32_t sum = 0;
            for (int i = 0; i < depth; ++i) {
              sum += (a[static_cast<size_t>(row * stride + i)] - shift) *
                     b[static_cast<size_t>(column * depth + i)];
            }
            same = same && sum == sums[static_cast<size_t>(row * width + column)];
          }
        }
        REQUIRE(same);
      }
    }
  }
}

TEST_CASE("every target has a tile for any weights, and the slowest comes last") {
  for (const Target target : all_targets()) {
    const std::vector<Int8Tile>& tiles = int8_tiles(target);
    REQUIRE_FALSE(tiles.empty());
    CHECK_FALSE(tiles.back().small_pairs);
    for (const Int8Tile& tile : tiles) {
      CHECK(tile.rows <= most_tile_rows);
      CHECK(tile.columns <= most_tile_columns);
      CHECK(tile.columns % 16 == 0);
    }
  }
}

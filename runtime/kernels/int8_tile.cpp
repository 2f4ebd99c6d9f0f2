#include "runtime/kernels/int8_tile.h"

#include <cstring>

namespace flowqat::runtime {
namespace {

/// Plain C++: one column after the other would be slow, so a compiler is given sixteen.
template <class Activation>
void multiply(int64_t rows, int64_t columns, const void* a, int64_t stride, const int8_t* b,
              int64_t groups, int32_t* sums) {
  const auto* const values = static_cast<const Activation*>(a);
  for (int64_t r = 0; r < rows; ++r) {
    int32_t line[most_tile_columns] = {};
    for (int64_t i = 0; i < groups; ++i) {
      const int32_t value = values[r * stride + i];
      for (int64_t c = 0; c < columns; ++c) line[c] += value * b[i * columns + c];
    }
    std::memcpy(sums + r * columns, line, static_cast<size_t>(columns) * sizeof(int32_t));
  }
}

std::vector<Int8Tile> find_tiles(Target target) {
  switch (target) {
#if defined(__x86_64__)
    case Target::avx2:
      return {kAvx2Pairs, kAvx2Words};
    case Target::avx_vnni:
      return {kAvxVnniTile};
    case Target::avx512:
      return {kAvx512Pairs, kAvx512Words};
    case Target::avx512_vnni:
    case Target::avx512_vbmi:
      return {kAvx512VnniTile};
    case Target::amx:
      return {kAmxTile};
#elif defined(__aarch64__)
    case Target::neon:
      return {kNeonTile};
    case Target::neon_dotprod:
      return {kNeonDotprodTile};
    case Target::neon_i8mm:
      return {kNeonI8mmTile};
#endif
    default:
      return {kScalarTile};
  }
}

}  // namespace

const Int8Tile kScalarTile{"plain", 4, 16, 1, Operand::bytes, false, multiply<uint8_t>};
const Int8Tile kScalarWords{"plain words", 4, 16, 1, Operand::words, false, multiply<int16_t>};

const Int8Tile& word_tile(Target target) {
  switch (target) {
#if defined(__x86_64__)
    case Target::avx2:
    case Target::avx_vnni:
      return kAvx2Words;
    case Target::avx512:
      return kAvx512Words;
    case Target::avx512_vnni:
    case Target::avx512_vbmi:
    case Target::amx:
      return kAvx512VnniWords;
#elif defined(__aarch64__)
    case Target::neon:
    case Target::neon_dotprod:
    case Target::neon_i8mm:
      return kNeonWords;
#endif
    default:
      return kScalarWords;
  }
}

const std::vector<Int8Tile>& int8_tiles(Target target) {
  static const std::vector<std::vector<Int8Tile>> all = [] {
    std::vector<std::vector<Int8Tile>> tiles;
    for (int i = 0; i <= static_cast<int>(Target::neon_i8mm); ++i) {
      tiles.push_back(find_tiles(static_cast<Target>(i)));
    }
    return tiles;
  }();
  return all.at(static_cast<size_t>(target));
}

void pack_tile(const Int8Tile& tile, const int8_t* weights, int64_t stride, int64_t columns,
               int64_t width, int64_t depth, int8_t* packed) {
  const int64_t group = tile.group;
  if (columns < width || depth % group != 0) {
    std::memset(packed, 0, static_cast<size_t>(tile.groups_of(depth) * group * width));
  }
  const int64_t whole = depth / group * group;
  for (int64_t column = 0; column < columns; ++column) {
    const int8_t* const from = weights + column * stride;
    int8_t* const to = packed + column * group;
    if (group == 4) {
      for (int64_t i = 0; i < whole; i += 4) std::memcpy(to + i * width, from + i, 4);
    } else if (group == 2) {
      for (int64_t i = 0; i < whole; i += 2) std::memcpy(to + i * width, from + i, 2);
    } else {
      for (int64_t i = 0; i < whole; ++i) to[i * width] = from[i];
    }
    std::memcpy(to + whole * width, from + whole, static_cast<size_t>(depth - whole));
  }
}

}  // namespace flowqat::runtime

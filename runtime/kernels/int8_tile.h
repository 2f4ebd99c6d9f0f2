/// The inner loops of every integer product, one for each way that processors multiply bytes.
#pragma once
#include <cstdint>
#include <vector>

#include "base/simd/target.h"
#include "runtime/kernels/grid.h"
#include "runtime/kernels/tile_size.h"

namespace flowqat::runtime {

/// sums[row][column] = sum over depth of a[row][i] b[i][column], exactly, in 32 bits: no sum on the
/// way saturates, whatever the operands.
struct Int8Tile {
  const char* name;
  int64_t rows;     ///< the most of a tile
  int64_t columns;  ///< of a full tile: a multiple of 16
  int64_t group;    ///< so many steps of the depth stand together in the packed weights
  Operand operand;
  /// Whether sums of neighbours, a[i] b[i] + a[i + 1] b[i + 1] of even i, must fit 16 bits signed:
  /// for any activations where the two weights' magnitudes add up to at most 128.
  bool small_pairs;
  /// a: `rows` rows of operands, `stride` operands apart, of which `groups` whole groups are read;
  /// b: `groups` of [columns][group] bytes, zero behind the depth; `columns` a multiple of 16 up to
  /// the tile's. sums: [rows][columns], overwritten.
  void (*run)(int64_t rows, int64_t columns, const void* a, int64_t stride, const int8_t* b,
              int64_t groups, int32_t* sums);

  int64_t groups_of(int64_t depth) const { return (depth + group - 1) / group; }
  /// The tile's columns from the `left` that are left.
  int64_t width_of(int64_t left) const { return left >= columns ? columns : padded_columns(left); }
};

/// The tiles of a target, the fastest first. The last one takes any weights.
const std::vector<Int8Tile>& int8_tiles(Target target);
/// The target's tile of words times bytes: of any words, as long as no sum leaves 32 bits.
const Int8Tile& word_tile(Target target);

/// Packs columns of weights, each `depth` signed bytes that stand `stride` bytes apart, for one
/// tile: `columns` of them, zeros behind these up to `width`.
void pack_tile(const Int8Tile& tile, const int8_t* weights, int64_t stride, int64_t columns,
               int64_t width, int64_t depth, int8_t* packed);

// One file for each kind of instructions; only those that this architecture has are defined.
extern const Int8Tile kScalarTile, kScalarWords;
extern const Int8Tile kAvx2Words, kAvx2Pairs, kAvxVnniTile;
extern const Int8Tile kAvx512Words, kAvx512Pairs, kAvx512VnniTile, kAvx512VnniWords;
extern const Int8Tile kAmxTile;
/// kAvxVnniTile's loop with AVX-512's form of its instruction: of no target, but it can be tested
/// on servers, which have no AVX-VNNI.
extern const Int8Tile kAvx512VlVnniTile;
extern const Int8Tile kNeonWords, kNeonTile, kNeonDotprodTile, kNeonI8mmTile;

}  // namespace flowqat::runtime

/// The grid of an activation in bytes.
#pragma once
#include <cstdint>

namespace flowqat::runtime {

/// x ~ (q - zero_point) scale, q from 0 to `highest`: 255, or less where an activation has fewer
/// bits than eight.
struct ByteGrid {
  float scale = 1;
  int32_t zero_point = 0;
  int32_t highest = 255;
  bool operator==(const ByteGrid&) const = default;
};

/// What a tile reads of the activations, which are bytes of 0 to 255.
enum class Operand {
  bytes,         ///< as they are
  signed_bytes,  ///< less 128: the sums are of these
  words,         ///< in 16 bits
};

/// A byte for each of the 256: what an output of one layer is as the input of the next.
struct ByteTable {
  alignas(64) uint8_t of[256];
};

}  // namespace flowqat::runtime

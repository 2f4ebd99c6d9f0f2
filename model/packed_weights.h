/// How an int8 folder's model.safetensors stores the integers of a layer's weight: no LibTorch.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/tensor.h"

namespace flowqat::model {

/// Whether weights of so many bits lie two a byte (dtype U8); others have a byte each (I8).
constexpr bool are_packed(int bits) { return bits <= 4; }

/// The shape of the packed tensor of weights of `shape` [out, in, ...]: [out, ceil(in ... / 2)].
std::vector<int64_t> packed_shape(const std::vector<int64_t>& shape);

/// `weights` are `rows` rows of equal length, row-major, each from -8 to 7. Of a row, weight 2 i is
/// the low half of byte i and weight 2 i + 1 the high half, both in two's complement; the high half
/// behind an odd row's end is 0. Throws Error for an integer that does not fit.
std::vector<uint8_t> pack_weights(std::span<const int8_t> weights, int64_t rows);
/// The inverse; `weights` says how many there are, and `packed` holds packed_shape() of them.
void unpack_weights(std::span<const uint8_t> packed, int64_t rows, std::span<int8_t> weights);

/// The weight [out, in, ...] of a layer of `bits` bits from the tensor that holds it: I8 of
/// `shape`, or U8 of packed_shape(shape). Throws Error naming the tensor for another type, shape or
/// number of bytes, or for an integer that `bits` bits do not hold.
std::vector<int8_t> stored_weight(const Tensor& tensor, const std::vector<int64_t>& shape,
                                  int bits);

}  // namespace flowqat::model

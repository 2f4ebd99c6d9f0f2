#include "model/packed_weights.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "model/model.h"

namespace flowqat::model {
namespace {

int64_t count_of(const std::vector<int64_t>& shape) {
  constexpr int64_t most = int64_t{1} << 40;  // more than any weight; a file may say anything
  int64_t count = 1;
  for (const int64_t size : shape) {
    if (size < 0 || (size > 0 && count > most / size)) {
      throw Error("a weight's shape: expected sizes of at most 2^40 weights in all, found " +
                  std::to_string(size) + " among them");
    }
    count *= size;
  }
  return count;
}

std::string shown(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "[" : ", ") + std::to_string(size);
  return text + "]";
}

int8_t from_half_byte(unsigned half) {
  return static_cast<int8_t>(half < 8 ? static_cast<int>(half) : static_cast<int>(half) - 16);
}

}  // namespace

std::vector<int64_t> packed_shape(const std::vector<int64_t>& shape) {
  if (shape.empty()) throw Error("a weight's shape: expected [out, in, ...], found none");
  const int64_t rows = shape[0];
  const int64_t length = rows > 0 ? count_of(shape) / rows : 0;
  return {rows, (length + 1) / 2};
}

std::vector<uint8_t> pack_weights(std::span<const int8_t> weights, int64_t rows) {
  const size_t length = rows > 0 ? weights.size() / static_cast<size_t>(rows) : 0;
  const size_t row_bytes = (length + 1) / 2;
  std::vector<uint8_t> packed(row_bytes * static_cast<size_t>(rows));
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] < -8 || weights[i] > 7) {
      throw Error("a weight of 4 bits: expected an integer from -8 to 7, found " +
                  std::to_string(weights[i]));
    }
    const size_t row = i / length, column = i % length;
    const unsigned half = static_cast<unsigned>(weights[i]) & 0xf;
    uint8_t& byte = packed[row * row_bytes + column / 2];
    byte = static_cast<uint8_t>(byte | half << (column % 2 * 4));
  }
  return packed;
}

void unpack_weights(std::span<const uint8_t> packed, int64_t rows, std::span<int8_t> weights) {
  const size_t length = rows > 0 ? weights.size() / static_cast<size_t>(rows) : 0;
  const size_t row_bytes = (length + 1) / 2;
  for (size_t row = 0; row < static_cast<size_t>(rows); ++row) {
    const uint8_t* const from = packed.data() + row * row_bytes;
    int8_t* const to = weights.data() + row * length;
    for (size_t i = 0; i < length; ++i) to[i] = from_half_byte(from[i / 2] >> (i % 2 * 4) & 0xf);
  }
}

std::vector<int8_t> stored_weight(const Tensor& tensor, const std::vector<int64_t>& shape,
                                  int bits) {
  const char* const dtype = are_packed(bits) ? "U8" : "I8";
  const std::vector<int64_t> expected = are_packed(bits) ? packed_shape(shape) : shape;
  if (tensor.dtype != dtype || tensor.shape != expected) {
    throw Error("tensor \"" + tensor.name + "\": expected " + dtype + " " + shown(expected) +
                " for weights of " + std::to_string(bits) + " bits, found " + tensor.dtype + " " +
                shown(tensor.shape));
  }
  if (tensor.bytes.size() != static_cast<size_t>(count_of(expected))) {
    throw Error("tensor \"" + tensor.name + "\": " + std::to_string(tensor.bytes.size()) +
                " bytes, which do not fill " + dtype + " " + shown(expected));
  }
  std::vector<int8_t> weights(static_cast<size_t>(count_of(shape)));
  if (weights.empty()) return weights;
  if (are_packed(bits)) {
    unpack_weights({reinterpret_cast<const uint8_t*>(tensor.bytes.data()), tensor.bytes.size()},
                   shape[0], weights);
    return weights;
  }
  std::memcpy(weights.data(), tensor.bytes.data(), weights.size());
  if (bits == 8) return weights;
  const int half = 1 << (bits - 1);
  const auto [least, most] = std::ranges::minmax_element(weights);
  if (*least < -half || *most > half - 1) {
    throw Error("tensor \"" + tensor.name + "\": expected integers from " + std::to_string(-half) +
                " to " + std::to_string(half - 1) + ", found " +
                std::to_string(*least < -half ? *least : *most));
  }
  return weights;
}

}  // namespace flowqat::model

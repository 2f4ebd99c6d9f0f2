#include "graph/permutation.h"

#include <algorithm>
#include <bit>

#include "graph/random.h"

namespace flowqat::graph {
namespace {

/// The upper half of a product hangs on every bit of the number.
uint64_t scrambled(uint64_t number, uint64_t key) {
  __extension__ using Uint128 = unsigned __int128;
  const Uint128 product = static_cast<Uint128>(number ^ key) * 0x9e3779b97f4a7c15ULL;
  return static_cast<uint64_t>(product >> 64) ^ static_cast<uint64_t>(product);
}

}  // namespace

Permutation::Permutation(uint64_t key, uint64_t size) : size_(size) {
  const int bits = std::max(2, static_cast<int>(std::bit_width(size > 0 ? size - 1 : 0)));
  right_bits_ = bits / 2;
  right_mask_ = (uint64_t{1} << right_bits_) - 1;
  left_mask_ = (uint64_t{1} << (bits - right_bits_)) - 1;
  RandomStream random(key);
  for (uint64_t& round : keys_) round = random.next();
}

uint64_t Permutation::encrypt(uint64_t number) const {
  uint64_t left = number >> right_bits_, right = number & right_mask_;
  for (int round = 0; round < kRounds; round += 2) {
    left ^= (scrambled(right, keys_[round]) >> 20) & left_mask_;
    right ^= (scrambled(left, keys_[round + 1]) >> 20) & right_mask_;
  }
  return left << right_bits_ | right;
}

uint64_t Permutation::operator()(uint64_t place) const {
  do place = encrypt(place);
  while (place >= size_);
  return place;
}

}  // namespace flowqat::graph

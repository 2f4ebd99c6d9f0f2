/// An order of 0..size-1 that is drawn by a key and takes no memory: any place of it can be asked
/// for at once.
#pragma once
#include <cstdint>

namespace flowqat::graph {

/// A Feistel network over the fewest bits that hold every number, walked on from numbers that are
/// too large (Black and Rogaway 2002, "Ciphers with arbitrary finite domains").
class Permutation {
 public:
  Permutation(uint64_t key, uint64_t size);
  uint64_t operator()(uint64_t place) const;

 private:
  uint64_t encrypt(uint64_t number) const;

  static constexpr int kRounds = 8;
  uint64_t size_;
  int right_bits_ = 1;
  uint64_t left_mask_ = 1, right_mask_ = 1;
  uint64_t keys_[kRounds];
};

}  // namespace flowqat::graph

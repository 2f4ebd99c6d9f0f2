/// What the pipeline handed on, as one number: XXH3-128 of every row where it is made, and a chain
/// of SHA-256 over the batches in order. Two runs with equal numbers handed on the same bits.
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "graph/message.h"

namespace flowqat::graph {

/// Over id, copy, transcript, masks, or the rejecting node, and the samples.
XXH128_hash_t digest_row(const Row& row, std::span<const float> samples);

/// link(n) = SHA-256(link(n-1), padded length, the rows' digests); link(0) is all zeros. 32 bytes
/// are its whole state, so a resumed run goes on with it.
class DigestChain {
 public:
  void add(const Batch& batch);
  std::string hex() const;
  /// From hex(); throws std::invalid_argument for anything else.
  void restore(const std::string& hex);

 private:
  std::array<unsigned char, 32> link_{};
};

}  // namespace flowqat::graph

/// Attention over frames (arXiv:1706.03762, section 3.2).
#pragma once
#include <cstdint>

#include "runtime/layers/layer.h"

namespace flowqat::runtime {

/// One of queries, keys and values as its layer leaves it: [rows, frames, hidden] in bytes on
/// `grid`, or in floats.
struct Heads {
  Values values;
  ByteGrid grid;
};

struct AttentionShape {
  int64_t rows, frames, heads, width;  ///< width of a head
  /// null, or [rows, frames]: not 0 where a frame may be attended to.
  const uint8_t* allowed;
};

/// softmax(q kᵀ / sqrt(width)) v for each head, as it is `wanted`: [rows, frames, heads * width].
/// Of bytes, the products of queries and keys and those of weights (in 15 bits) and values
/// are exact integers, and what lies between them is float32. The three are all bytes or all
/// floats.
void attend(Context& context, const AttentionShape& shape, const Heads& q, const Heads& k,
            const Heads& v, const Wanted& wanted, const Values& y);

}  // namespace flowqat::runtime

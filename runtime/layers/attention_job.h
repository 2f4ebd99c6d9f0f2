/// What the two ways of attending share.
#pragma once
#include <cstdint>

#include "runtime/layers/attention.h"

namespace flowqat::runtime {

constexpr int64_t block_queries = 12;  ///< queries at once: whole tiles of most targets

struct AttentionJob {
  const Kernels& kernels;
  const AttentionShape& shape;
  const Heads& q;
  const Heads& k;
  const Heads& v;
  const Wanted& wanted;
  const Values& y;
  int64_t hidden() const { return shape.heads * shape.width; }
};

/// Queries [begin, end) of one head of a row.
struct AttentionPart {
  int64_t row, begin, end;
  int64_t at;  ///< where the head of the row's first frame begins
};

/// [padded frames] 1 and 0 where a row's frames may and may not be attended to, or stand behind the
/// last.
const float* allowed_frames(Stack& scratch, const AttentionJob& job, int64_t row,
                            int64_t padded_frames);
/// `count` values of a head, as they are wanted, to `at` of the output.
void write_mixed(const AttentionJob& job, const float* line, int64_t count, int64_t at);

/// Queries and keys, and weights and values, multiplied as integers.
void attend_int8(Stack& scratch, const AttentionJob& job, const AttentionPart& part);
/// All in float32.
void attend_float(Stack& scratch, const AttentionJob& job, const AttentionPart& part);

}  // namespace flowqat::runtime

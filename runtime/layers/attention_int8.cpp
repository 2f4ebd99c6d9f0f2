#include <algorithm>
#include <cmath>

#include "runtime/layers/attention_job.h"

namespace flowqat::runtime {
namespace {

constexpr int32_t never = -(1 << 30);  ///< a score below any that operands of a byte make
constexpr float highest_word = 32767;
/// Weights that add up to less keep their sums with bytes within 32 bits.
constexpr float highest_total = 1.5e7f;

/// The keys and values of one head and row, packed for the products.
struct Memory {
  int64_t padded_frames;  ///< whole sixteens
  const int8_t* keys;     ///< less 128, tile by tile
  const int32_t* offset;  ///< [padded_frames]: what a key adds to each of its scores
  const float* allowed;   ///< [padded_frames]
  const int8_t* values;   ///< less 128, tile by tile of channels
};

void remember_keys(Stack& scratch, const AttentionJob& job, int64_t at, Memory& memory) {
  const int64_t frames = job.shape.frames, width = job.shape.width;
  const Int8Tile& tile = job.kernels.tiles.back();
  const uint8_t* const k = job.k.values.bytes + at;
  const int64_t depth = tile.groups_of(width) * tile.group;
  int8_t* const packed = scratch.take<int8_t>(memory.padded_frames * depth);
  int32_t* const offset = scratch.take<int32_t>(memory.padded_frames);
  std::fill_n(offset, memory.padded_frames, never);
  // The key's zero point adds the same to all scores of a query: softmax does not see it.
  const int32_t q_zero = job.q.grid.zero_point - (tile.operand == Operand::signed_bytes ? 128 : 0);
  const Scope scope(scratch);
  int8_t* const line = scratch.take<int8_t>(tile.columns * width);
  for (int64_t t = 0; t < frames; t += tile.columns) {
    const int64_t columns = std::min(tile.columns, frames - t);
    for (int64_t c = 0; c < columns; ++c) {
      int32_t sum = 0;
      for (int64_t i = 0; i < width; ++i) {
        const int value = k[(t + c) * job.hidden() + i] - 128;
        line[c * width + i] = static_cast<int8_t>(value);
        sum += value;
      }
      if (memory.allowed[t + c] != 0) offset[t + c] = -q_zero * sum;
    }
    pack_tile(tile, line, width, columns, tile.width_of(frames - t), width, packed + t * depth);
  }
  memory.keys = packed;
  memory.offset = offset;
}

void remember_values(Stack& scratch, const AttentionJob& job, int64_t at, Memory& memory) {
  const Int8Tile& tile = job.kernels.words;
  const int64_t frames = job.shape.frames, width = job.shape.width;
  const int64_t depth = tile.groups_of(frames) * tile.group;
  int8_t* const packed = scratch.take<int8_t>(depth * padded_columns(width));
  std::fill_n(packed, depth * padded_columns(width), int8_t{0});
  for (int64_t column = 0; column < width; column += tile.columns) {
    const int64_t columns = tile.width_of(width - column);
    const int64_t count = std::min(columns, width - column);
    for (int64_t t = 0; t < frames; ++t) {
      const uint8_t* const from = job.v.values.bytes + at + t * job.hidden() + column;
      int8_t* const to =
          packed + column * depth + t / tile.group * columns * tile.group + t % tile.group;
      for (int64_t c = 0; c < count; ++c) to[c * tile.group] = static_cast<int8_t>(from[c] - 128);
    }
  }
  memory.values = packed;
}

/// Scores of `rows` queries, [rows][padded frames].
void score(Stack& scratch, const AttentionJob& job, const Memory& memory, const uint8_t* q,
           int64_t rows, int32_t* scores) {
  const Int8Tile& tile = job.kernels.tiles.back();
  const int64_t groups = tile.groups_of(job.shape.width), depth = groups * tile.group;
  const Scope scope(scratch);
  int64_t stride = job.hidden(), bytes = 1;
  const void* operands = q;
  if (tile.operand != Operand::bytes) {
    bytes = tile.operand == Operand::words ? 2 : 1;
    auto* const made = scratch.take<uint8_t>(rows * depth * bytes);
    for (int64_t r = 0; r < rows; ++r) {
      job.kernels.bytes.to_operand(tile.operand, q + r * stride, depth, made + r * depth * bytes);
    }
    operands = made;
    stride = depth;
  }
  auto* const sums = scratch.take<int32_t>(tile.rows * tile.columns);
  for (int64_t t = 0; t < job.shape.frames; t += tile.columns) {
    const int64_t columns = tile.width_of(job.shape.frames - t);
    for (int64_t row = 0; row < rows; row += tile.rows) {
      const int64_t some = std::min(tile.rows, rows - row);
      tile.run(some, columns, static_cast<const uint8_t*>(operands) + row * stride * bytes, stride,
               memory.keys + t * depth, groups, sums);
      for (int64_t r = 0; r < some; ++r) {
        std::copy_n(sums + r * columns, columns, scores + (row + r) * memory.padded_frames + t);
      }
    }
  }
}

/// Weighted values of `rows` queries, which stand at `at` of the output. weights: [rows][padded
/// frames], which add up to `totals`.
void mix(Stack& scratch, const AttentionJob& job, const Memory& memory, const int16_t* weights,
         const int32_t* totals, int64_t rows, int64_t at) {
  const Int8Tile& tile = job.kernels.words;
  const int64_t width = job.shape.width, groups = tile.groups_of(job.shape.frames);
  const Scope scope(scratch);
  auto* const sums = scratch.take<int32_t>(tile.rows * tile.columns);
  auto* const line = scratch.take<float>(tile.columns);
  const float scale = job.v.grid.scale;
  const float shift = static_cast<float>(128 - job.v.grid.zero_point) * scale;
  for (int64_t column = 0; column < width; column += tile.columns) {
    const int64_t columns = tile.width_of(width - column);
    const int64_t count = std::min(columns, width - column);
    for (int64_t row = 0; row < rows; row += tile.rows) {
      const int64_t some = std::min(tile.rows, rows - row);
      tile.run(some, columns, weights + row * memory.padded_frames, memory.padded_frames,
               memory.values + column * groups * tile.group, groups, sums);
      for (int64_t r = 0; r < some; ++r) {
        job.kernels.floats.scale_integers(sums + r * columns, count,
                                          scale / static_cast<float>(totals[row + r]), shift, line);
        write_mixed(job, line, count, at + (row + r) * job.hidden() + column);
      }
    }
  }
}

}  // namespace

void attend_int8(Stack& scratch, const AttentionJob& job, const AttentionPart& part) {
  Memory memory{};
  memory.padded_frames = padded_columns(job.shape.frames);
  memory.allowed = allowed_frames(scratch, job, part.row, memory.padded_frames);
  remember_keys(scratch, job, part.at, memory);
  remember_values(scratch, job, part.at, memory);
  const auto scale = static_cast<float>(double{job.q.grid.scale} * double{job.k.grid.scale} /
                                        std::sqrt(static_cast<double>(job.shape.width)));
  auto* const scores = scratch.take<int32_t>(block_queries * memory.padded_frames);
  auto* const words = scratch.take<int16_t>(block_queries * memory.padded_frames);
  for (int64_t first = part.begin; first < part.end; first += block_queries) {
    const int64_t rows = std::min(block_queries, part.end - first);
    const int64_t from = part.at + first * job.hidden();
    score(scratch, job, memory, job.q.values.bytes + from, rows, scores);
    int32_t totals[block_queries];
    for (int64_t r = 0; r < rows; ++r) {
      int32_t* const line = scores + r * memory.padded_frames;
      const float total = job.kernels.floats.softmax_integers(line, memory.offset, memory.allowed,
                                                              memory.padded_frames, scale);
      // The greatest weight is 1: it becomes the highest word, or less where all add up to too
      // much.
      totals[r] = job.kernels.floats.to_words(
          reinterpret_cast<const float*>(line), memory.padded_frames,
          std::min(highest_word, highest_total / total), words + r * memory.padded_frames);
    }
    mix(scratch, job, memory, words, totals, rows, from);
  }
}

}  // namespace flowqat::runtime

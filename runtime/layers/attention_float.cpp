#include <algorithm>
#include <cmath>

#include "runtime/layers/attention_job.h"

namespace flowqat::runtime {
namespace {

/// The keys and values of one head and row, packed for the products.
struct Memory {
  int64_t padded_frames;  ///< whole sixteens
  const float* keys;      ///< tile by tile of frames, [width][columns]
  const float* allowed;   ///< [padded_frames]
  const float* values;    ///< tile by tile of channels, [frames][columns]
};

void remember_keys(Stack& scratch, const AttentionJob& job, int64_t at, Memory& memory) {
  const int64_t frames = job.shape.frames, width = job.shape.width;
  const int64_t most = job.kernels.floats.columns_of_tile;
  const float* const k = job.k.values.floats + at;
  float* const packed = scratch.take<float>(memory.padded_frames * width);
  std::fill_n(packed, memory.padded_frames * width, 0.0f);
  for (int64_t t = 0; t < frames; ++t) {
    const int64_t tile = t / most * most;
    const int64_t columns = std::min(most, memory.padded_frames - tile);
    for (int64_t i = 0; i < width; ++i) {
      packed[tile * width + i * columns + (t - tile)] = k[t * job.hidden() + i];
    }
  }
  memory.keys = packed;
}

void remember_values(Stack& scratch, const AttentionJob& job, int64_t at, Memory& memory) {
  const int64_t frames = job.shape.frames, width = job.shape.width;
  const int64_t most = job.kernels.floats.columns_of_tile;
  float* const values = scratch.take<float>(frames * padded_columns(width));
  for (int64_t column = 0; column < width; column += most) {
    const int64_t columns = std::min(most, padded_columns(width - column));
    const int64_t count = std::min(columns, width - column);
    for (int64_t t = 0; t < frames; ++t) {
      float* const line = values + column * frames + t * columns;
      std::copy_n(job.v.values.floats + at + t * job.hidden() + column, count, line);
      std::fill(line + count, line + columns, 0.0f);
    }
  }
  memory.values = values;
}

/// Scores of `rows` queries, [rows][padded frames].
void score(Stack& scratch, const AttentionJob& job, const Memory& memory, const float* q,
           int64_t rows, float* scores) {
  const FloatPasses& passes = job.kernels.floats;
  const Scope scope(scratch);
  auto* const sums = scratch.take<float>(passes.rows_of_tile * passes.columns_of_tile);
  for (int64_t t = 0; t < memory.padded_frames; t += passes.columns_of_tile) {
    const int64_t columns = std::min(passes.columns_of_tile, memory.padded_frames - t);
    for (int64_t row = 0; row < rows; row += passes.rows_of_tile) {
      const int64_t some = std::min(passes.rows_of_tile, rows - row);
      passes.tile(some, columns, q + row * job.hidden(), job.hidden(),
                  memory.keys + t * job.shape.width, job.shape.width, false, sums);
      for (int64_t r = 0; r < some; ++r) {
        std::copy_n(sums + r * columns, columns, scores + (row + r) * memory.padded_frames + t);
      }
    }
  }
}

/// Weighted values of `rows` queries, which stand at `at` of the output. weights: [rows][padded
/// frames], which add up to `totals`.
void mix(Stack& scratch, const AttentionJob& job, const Memory& memory, const float* weights,
         const float* totals, int64_t rows, int64_t at) {
  const FloatPasses& passes = job.kernels.floats;
  const int64_t width = job.shape.width, frames = job.shape.frames;
  const Scope scope(scratch);
  auto* const mixed = scratch.take<float>(passes.rows_of_tile * passes.columns_of_tile);
  for (int64_t column = 0; column < width; column += passes.columns_of_tile) {
    const int64_t columns = std::min(passes.columns_of_tile, padded_columns(width - column));
    const int64_t count = std::min(columns, width - column);
    for (int64_t row = 0; row < rows; row += passes.rows_of_tile) {
      const int64_t some = std::min(passes.rows_of_tile, rows - row);
      passes.tile(some, columns, weights + row * memory.padded_frames, memory.padded_frames,
                  memory.values + column * frames, frames, false, mixed);
      for (int64_t r = 0; r < some; ++r) {
        float* const line = mixed + r * columns;
        passes.scale(line, count, 1.0f / totals[row + r], line);
        write_mixed(job, line, count, at + (row + r) * job.hidden() + column);
      }
    }
  }
}

}  // namespace

void attend_float(Stack& scratch, const AttentionJob& job, const AttentionPart& part) {
  Memory memory{};
  memory.padded_frames = padded_columns(job.shape.frames);
  memory.allowed = allowed_frames(scratch, job, part.row, memory.padded_frames);
  remember_keys(scratch, job, part.at, memory);
  remember_values(scratch, job, part.at, memory);
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(job.shape.width)));
  auto* const scores = scratch.take<float>(block_queries * memory.padded_frames);
  for (int64_t first = part.begin; first < part.end; first += block_queries) {
    const int64_t rows = std::min(block_queries, part.end - first);
    const int64_t from = part.at + first * job.hidden();
    score(scratch, job, memory, job.q.values.floats + from, rows, scores);
    float totals[block_queries];
    for (int64_t r = 0; r < rows; ++r) {
      totals[r] = job.kernels.floats.softmax(scores + r * memory.padded_frames, memory.allowed,
                                             memory.padded_frames, scale);
    }
    mix(scratch, job, memory, scores, totals, rows, from);
  }
}

}  // namespace flowqat::runtime

#include "runtime/layers/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace flowqat::runtime {
namespace {

constexpr int32_t never = -(1 << 30);  ///< a score below any that operands of a byte make
constexpr int64_t block_rows = 12;     ///< queries at once: whole tiles of most targets

/// The keys of one head and row, packed for the products, and the values as floats.
struct Memory {
  int64_t padded_frames;    ///< whole sixteens
  const int8_t* keys;       ///< less 128, tile by tile; or
  const float* key_floats;  ///< tile by tile, [width][columns]
  const int32_t* offset;    ///< [padded_frames]: what a key adds to each of its scores, of bytes
  const float* allowed;     ///< [padded_frames]: 1 where the frame may be attended to, else 0
  const float* values;      ///< less the zero point; tile by tile, [frames][columns]
};

/// What all tasks share.
struct Job {
  const Kernels& kernels;
  const Int8Tile& tile;
  const AttentionShape& shape;
  const Heads& q;
  const Heads& k;
  const Heads& v;
  const Wanted& wanted;
  const Values& y;
  int64_t hidden() const { return shape.heads * shape.width; }
};

/// 1 and 0 where a row's frames may and may not be attended to, or stand behind the last.
const float* allowed_frames(Stack& scratch, const Job& job, int64_t row, int64_t padded_frames) {
  float* const allowed = scratch.take<float>(padded_frames);
  std::fill_n(allowed, padded_frames, 0.0f);
  const uint8_t* const mask =
      job.shape.allowed ? job.shape.allowed + row * job.shape.frames : nullptr;
  for (int64_t t = 0; t < job.shape.frames; ++t) allowed[t] = !mask || mask[t] != 0 ? 1.0f : 0.0f;
  return allowed;
}

void remember_bytes(Stack& scratch, const Job& job, int64_t at, Memory& memory) {
  const int64_t frames = job.shape.frames, width = job.shape.width;
  const Int8Tile& tile = job.tile;
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

void remember_floats(Stack& scratch, const Job& job, int64_t at, Memory& memory) {
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
  memory.key_floats = packed;
}

const float* remember_values(Stack& scratch, const Job& job, int64_t at) {
  const int64_t frames = job.shape.frames, width = job.shape.width;
  const int64_t most = job.kernels.floats.columns_of_tile;
  float* const values = scratch.take<float>(frames * padded_columns(width));
  const Values& v = job.v.values;
  for (int64_t column = 0; column < width; column += most) {
    const int64_t columns = std::min(most, padded_columns(width - column));
    const int64_t count = std::min(columns, width - column);
    for (int64_t t = 0; t < frames; ++t) {
      float* const line = values + column * frames + t * columns;
      const int64_t from = at + t * job.hidden() + column;
      for (int64_t i = 0; i < count; ++i) {
        line[i] = v.bytes ? static_cast<float>(v.bytes[from + i] - job.v.grid.zero_point)
                          : v.floats[from + i];
      }
      std::fill(line + count, line + columns, 0.0f);
    }
  }
  return values;
}

/// Scores of `rows` queries, [rows][padded frames], of keys in bytes.
void score_bytes(Stack& scratch, const Job& job, const Memory& memory, const uint8_t* q,
                 int64_t rows, int32_t* scores) {
  const Int8Tile& tile = job.tile;
  const int64_t groups = tile.groups_of(job.shape.width), depth = groups * tile.group;
  const Scope scope(scratch);
  int64_t stride = job.hidden(), bytes = 1;
  const void* operands = q;
  if (tile.operand != Operand::bytes) {
    bytes = tile.operand == Operand::words ? 2 : 1;
    auto* const made = scratch.take<uint8_t>(rows * depth * bytes);
    for (int64_t r = 0; r < rows; ++r) {
      to_operand(tile.operand, q + r * stride, depth, made + r * depth * bytes);
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

void score_floats(Stack& scratch, const Job& job, const Memory& memory, const float* q,
                  int64_t rows, float* scores) {
  const FloatPasses& passes = job.kernels.floats;
  const Scope scope(scratch);
  auto* const sums = scratch.take<float>(passes.rows_of_tile * passes.columns_of_tile);
  for (int64_t t = 0; t < memory.padded_frames; t += passes.columns_of_tile) {
    const int64_t columns = std::min(passes.columns_of_tile, memory.padded_frames - t);
    for (int64_t row = 0; row < rows; row += passes.rows_of_tile) {
      const int64_t some = std::min(passes.rows_of_tile, rows - row);
      passes.tile(some, columns, q + row * job.hidden(), job.hidden(),
                  memory.key_floats + t * job.shape.width, job.shape.width, false, sums);
      for (int64_t r = 0; r < some; ++r) {
        std::copy_n(sums + r * columns, columns, scores + (row + r) * memory.padded_frames + t);
      }
    }
  }
}

/// The weighted values of `rows` queries, which stand at `at` of the output.
void mix(Stack& scratch, const Job& job, const Memory& memory, const float* weights,
         const float* totals, int64_t rows, int64_t at) {
  const FloatPasses& passes = job.kernels.floats;
  const int64_t width = job.shape.width, frames = job.shape.frames;
  const float value_scale = job.v.values.bytes ? job.v.grid.scale : 1.0f;
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
        passes.scale(line, count, value_scale / totals[row + r], line);
        const int64_t to = at + (row + r) * job.hidden() + column;
        if (!job.y.bytes) {
          std::copy_n(line, count, job.y.floats + to);
          continue;
        }
        const float* const factor = job.wanted.factors();
        job.kernels.bytes.quantize(line, factor ? factor + to % job.hidden() : nullptr, count,
                                   *job.wanted.grid, job.y.bytes + to);
      }
    }
  }
}

/// Queries [begin, end) of one head of a row, which begins at `at`.
void attend_part(Stack& scratch, const Job& job, int64_t row, int64_t at, int64_t begin,
                 int64_t end) {
  const Scope scope(scratch);
  Memory memory{};
  memory.padded_frames = padded_columns(job.shape.frames);
  memory.allowed = allowed_frames(scratch, job, row, memory.padded_frames);
  const bool is_int8 = job.q.values.bytes != nullptr;
  if (is_int8) {
    remember_bytes(scratch, job, at, memory);
  } else {
    remember_floats(scratch, job, at, memory);
  }
  memory.values = remember_values(scratch, job, at);
  const double shrink = 1 / std::sqrt(static_cast<double>(job.shape.width));
  const auto scale = static_cast<float>(
      is_int8 ? double{job.q.grid.scale} * double{job.k.grid.scale} * shrink : shrink);
  auto* const scores = scratch.take<float>(block_rows * memory.padded_frames);
  for (int64_t first = begin; first < end; first += block_rows) {
    const int64_t rows = std::min(block_rows, end - first);
    const int64_t from = at + first * job.hidden();
    auto* const integers = reinterpret_cast<int32_t*>(scores);
    float totals[block_rows];
    if (is_int8) {
      score_bytes(scratch, job, memory, job.q.values.bytes + from, rows, integers);
    } else {
      score_floats(scratch, job, memory, job.q.values.floats + from, rows, scores);
    }
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t line = r * memory.padded_frames;
      totals[r] =
          is_int8 ? job.kernels.floats.softmax_integers(integers + line, memory.offset,
                                                        memory.allowed, memory.padded_frames, scale)
                  : job.kernels.floats.softmax(scores + line, memory.allowed, memory.padded_frames,
                                               scale);
    }
    mix(scratch, job, memory, scores, totals, rows, from);
  }
}

}  // namespace

void attend(Context& context, const AttentionShape& shape, const Heads& q, const Heads& k,
            const Heads& v, const Wanted& wanted, const Values& y) {
  const Job job{context.kernels, context.kernels.tiles.back(), shape, q, k, v, wanted, y};
  // Heads are shared out first; where they are too few for the threads, their queries are too.
  const int64_t all_heads = shape.rows * shape.heads;
  const int64_t parts = (2 * context.threads.count() + all_heads - 1) / all_heads;
  int64_t part_frames = (shape.frames + parts - 1) / parts;
  part_frames = (part_frames + block_rows - 1) / block_rows * block_rows;
  context.threads.run(all_heads * parts, [&](int64_t task, int slot) {
    const int64_t row = task / parts / shape.heads, head = task / parts % shape.heads;
    const int64_t begin = task % parts * part_frames;
    if (begin >= shape.frames) return;
    attend_part(context.scratch[static_cast<size_t>(slot)], job, row,
                row * shape.frames * job.hidden() + head * shape.width, begin,
                std::min(shape.frames, begin + part_frames));
  });
}

}  // namespace flowqat::runtime

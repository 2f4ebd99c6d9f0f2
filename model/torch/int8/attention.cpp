#include "model/torch/int8/attention.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "model/torch/int8/float_tile.h"
#include "model/torch/int8/lanes.h"
#include "model/torch/int8/tile.h"
#include "model/torch/operators/for_tasks.h"

namespace flowqat::model {
namespace {

constexpr int32_t never = -(1 << 30);  ///< a score below any that operands of a byte make

/// The keys of one head and row, packed for the products, and the values as floats.
struct Memory {
  int64_t frames, width;        ///< keys; of a head
  int64_t padded_frames;        ///< whole tiles of keys
  std::vector<int8_t> keys;     ///< less 128, tile by tile
  std::vector<int32_t> offset;  ///< [padded_frames]: what a key adds to each of its scores
  std::vector<float> allowed;   ///< [padded_frames]: 1 where the frame may be attended to, else 0
  std::vector<float> values;    ///< less the zero point, a tile of columns behind the other
};

/// k, v: `frames` rows of `width` bytes, `stride` apart. allowed: null (all) or [frames].
Memory remember(const uint8_t* k, const uint8_t* v, int64_t frames, int64_t width, int64_t stride,
                int32_t q_zero_point, int32_t v_zero_point, const bool* allowed) {
  Memory memory;
  memory.frames = frames;
  memory.width = width;
  memory.padded_frames = (frames + tile_columns - 1) / tile_columns * tile_columns;
  const auto padded = static_cast<size_t>(memory.padded_frames);
  memory.keys.resize(padded * static_cast<size_t>(padded_depth(width)));
  memory.offset.assign(padded, never);
  memory.allowed.assign(padded, 0);
  std::vector<int8_t> keys(static_cast<size_t>(frames * width));
  for (int64_t t = 0; t < frames; ++t) {
    int32_t sum = 0;
    for (int64_t i = 0; i < width; ++i) {
      const int value = k[t * stride + i] - 128;
      keys[static_cast<size_t>(t * width + i)] = static_cast<int8_t>(value);
      sum += value;
    }
    if (allowed && !allowed[t]) continue;
    // The key's zero point adds the same to all scores of a query: softmax does not see it.
    memory.offset[static_cast<size_t>(t)] = -q_zero_point * sum;
    memory.allowed[static_cast<size_t>(t)] = 1;
  }
  for (int64_t t = 0; t < frames; t += tile_columns) {
    pack_int8_tile(keys.data() + t * width, width, std::min(tile_columns, frames - t), width,
                   memory.keys.data() + t * padded_depth(width));
  }
  for (int64_t column = 0; column < width; column += tile_columns) {
    const int64_t columns = std::min(tile_columns, width - column);
    const int64_t padded_width = padded_columns(columns);
    const size_t at = memory.values.size();
    memory.values.resize(at + static_cast<size_t>(frames * padded_width), 0.0f);
    for (int64_t t = 0; t < frames; ++t) {
      float* const line = memory.values.data() + at + t * padded_width;
      const uint8_t* const bytes = v + t * stride + column;
      for (int64_t i = 0; i < columns; ++i) line[i] = static_cast<float>(bytes[i] - v_zero_point);
    }
  }
  return memory;
}

#if FLOWQAT_HAS_VNNI_CODE
/// e^x for x <= 0, to about one unit in the last place (Cody and Waite 1980, chapter 6).
FLOWQAT_VNNI inline __m512 exponential(__m512 x) {
  x = _mm512_max_ps(x, _mm512_set1_ps(-150.0f));
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)),
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
  r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
  __m512 y = _mm512_set1_ps(1.0f / 720);
  y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(1.0f / 120));
  y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(1.0f / 24));
  y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(1.0f / 6));
  y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(0.5f));
  y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(1.0f));
  y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(1.0f));
  return _mm512_scalef_ps(y, n);
}

/// Sums of products [columns] of one query in place of the weights, e^(scale (score - highest));
/// returns their sum.
FLOWQAT_VNNI float weigh(int32_t* scores, const Memory& memory, float scale) {
  __m512i highest = _mm512_set1_epi32(never);
  for (int64_t t = 0; t < memory.padded_frames; t += lanes) {
    const __m512i score = _mm512_add_epi32(_mm512_loadu_si512(scores + t),
                                           _mm512_loadu_si512(memory.offset.data() + t));
    _mm512_storeu_si512(scores + t, score);
    highest = _mm512_max_epi32(highest, score);
  }
  const __m512i top = _mm512_set1_epi32(_mm512_reduce_max_epi32(highest));
  __m512 total = _mm512_setzero_ps();
  for (int64_t t = 0; t < memory.padded_frames; t += lanes) {
    const __m512 below = _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_loadu_si512(scores + t), top));
    const __m512 weight = _mm512_mul_ps(exponential(_mm512_mul_ps(below, _mm512_set1_ps(scale))),
                                        _mm512_loadu_ps(memory.allowed.data() + t));
    _mm512_storeu_ps(scores + t, weight);
    total = _mm512_add_ps(total, weight);
  }
  return _mm512_reduce_add_ps(total);
}

/// factor x to float where y is given, else to steps of `steps_a_unit` in bytes.
FLOWQAT_VNNI void write(const float* x, int64_t count, float factor, float* y, uint8_t* bytes,
                        float steps_a_unit, int32_t zero_point) {
  const ByteGrid grid = byte_grid(zero_point);
  for (int64_t i = 0; i < count; i += lanes) {
    const __mmask16 some = lanes_left(count - i);
    const __m512 value = _mm512_mul_ps(_mm512_maskz_loadu_ps(some, x + i), _mm512_set1_ps(factor));
    if (y) {
      _mm512_mask_storeu_ps(y + i, some, value);
      continue;
    }
    const __m512 steps = _mm512_mul_ps(value, _mm512_set1_ps(steps_a_unit));
    _mm512_mask_cvtusepi32_storeu_epi8(bytes + i, some, to_bytes(steps, grid));
  }
}
#else
float weigh(int32_t*, const Memory&, float) { refuse_without_vnni("int8_attention"); }
void write(const float*, int64_t, float, float*, uint8_t*, float, int32_t) {
  refuse_without_vnni("int8_attention");
}
#endif

/// Where the mixed values go: one of the two.
struct Output {
  float* floats;
  uint8_t* bytes;
  float steps_a_unit;
  int32_t zero_point;
};

/// Queries [begin, end) of one head, all as remember() takes them; y strides as q.
void attend(const uint8_t* q, int64_t begin, int64_t end, int64_t stride, const Memory& memory,
            float score_scale, float value_scale, const Output& y) {
  std::vector<int32_t> scores(static_cast<size_t>(tile_rows * memory.padded_frames));
  alignas(64) int32_t sums[tile_rows * tile_columns];
  alignas(64) float mixed[tile_rows * tile_columns];
  for (int64_t row = begin; row < end; row += tile_rows) {
    const int64_t rows = std::min(tile_rows, end - row);
    for (int64_t t = 0; t < memory.frames; t += tile_columns) {
      const int64_t columns = padded_columns(std::min(tile_columns, memory.frames - t));
      int8_tile(rows, columns, q + row * stride, stride,
                memory.keys.data() + t * padded_depth(memory.width), memory.width, sums);
      for (int64_t r = 0; r < rows; ++r) {
        std::copy_n(sums + r * tile_columns, columns, scores.data() + r * memory.padded_frames + t);
      }
    }
    float total[tile_rows];
    for (int64_t r = 0; r < rows; ++r) {
      total[r] = weigh(scores.data() + r * memory.padded_frames, memory, score_scale);
    }
    const float* values = memory.values.data();
    for (int64_t column = 0; column < memory.width; column += tile_columns) {
      const int64_t columns = std::min(tile_columns, memory.width - column);
      float_tile(rows, padded_columns(columns), reinterpret_cast<const float*>(scores.data()),
                 memory.padded_frames, values, memory.frames, /*add=*/false, mixed);
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t at = (row + r) * stride + column;
        write(mixed + r * tile_columns, columns, value_scale / total[r],
              y.floats ? y.floats + at : nullptr, y.bytes ? y.bytes + at : nullptr, y.steps_a_unit,
              y.zero_point);
      }
      values += memory.frames * padded_columns(columns);
    }
  }
}

}  // namespace

at::Tensor int8_attention(const AttentionBytes& x, int64_t heads, const at::Tensor& key_mask,
                          const ActivationScale* out) {
  const int64_t rows = x.q.size(0), frames = x.q.size(1), hidden = x.q.size(2);
  const int64_t width = hidden / heads;
  const at::Tensor y = at::empty(x.q.sizes(), out ? at::kByte : at::kFloat);
  const uint8_t* const q = x.q.const_data_ptr<uint8_t>();
  const uint8_t* const k = x.k.const_data_ptr<uint8_t>();
  const uint8_t* const v = x.v.const_data_ptr<uint8_t>();
  at::Tensor mask;
  if (key_mask.defined()) mask = key_mask.contiguous();
  const bool* const allowed = mask.defined() ? mask.const_data_ptr<bool>() : nullptr;
  float* const floats = out ? nullptr : y.mutable_data_ptr<float>();
  uint8_t* const bytes = out ? y.mutable_data_ptr<uint8_t>() : nullptr;
  const auto score_scale =
      static_cast<float>(x.q_scale.scale * x.k_scale.scale / std::sqrt(static_cast<double>(width)));
  const auto value_scale = static_cast<float>(x.v_scale.scale);
  // Heads are shared out first; where they are too few for the threads, their queries are too.
  const int64_t all_heads = rows * heads;
  const int64_t parts = (2 * at::get_num_threads() + all_heads - 1) / all_heads;
  const int64_t part_frames = (frames + parts - 1) / parts;
  for_tasks(all_heads * parts, [&](int64_t task) {
    const int64_t row = task / parts / heads, head = task / parts % heads;
    const int64_t begin = task % parts * part_frames;
    if (begin >= frames) return;
    const int64_t at = row * frames * hidden + head * width;
    const Memory memory = remember(
        k + at, v + at, frames, width, hidden, static_cast<int32_t>(x.q_scale.zero_point),
        static_cast<int32_t>(x.v_scale.zero_point), allowed ? allowed + row * frames : nullptr);
    const Output output{floats ? floats + at : nullptr, bytes ? bytes + at : nullptr,
                        out ? 1.0f / static_cast<float>(out->scale) : 0,
                        out ? static_cast<int32_t>(out->zero_point) : 0};
    attend(q + at, begin, std::min(frames, begin + part_frames), hidden, memory, score_scale,
           value_scale, output);
  });
  return y;
}

}  // namespace flowqat::model

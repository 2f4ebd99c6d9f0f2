#include "model/torch/operators/bf16_tile.h"

#include <algorithm>
#include <cstdlib>

#include "base/simd/target.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define FLOWQAT_BF16 \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma"), always_inline)) inline
#define FLOWQAT_BF16_FUNCTION \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma")))
#endif

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined registers of its own intrinsics for mistakes (its bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace flowqat::model {

bool has_bf16_tile() { return has_bf16(); }

#if defined(__x86_64__)
namespace {

constexpr int64_t kLanes = 16, kVectors = kColumnPanel / kLanes;

FLOWQAT_BF16 __mmask16 mask_of(int64_t count) {
  const int64_t lanes = std::clamp<int64_t>(count, 0, kLanes);
  return static_cast<__mmask16>((uint32_t{1} << lanes) - 1);
}

FLOWQAT_BF16 __m512 in_steps(__m512 values, bool has_steps, __m512 inverse) {
  if (!has_steps) return values;
  return _mm512_roundscale_ps(_mm512_mul_ps(values, inverse),
                              _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

FLOWQAT_BF16 __m512i widened(__m512 values) {
  return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(values));
}

/// Of one line, `pairs` (at most 16) from `values` on, of which `count` values are there.
FLOWQAT_BF16 __m512i pairs_of_line(const float* values, int64_t count, bool has_steps,
                                   __m512 inverse) {
  const __m512 low = _mm512_maskz_loadu_ps(mask_of(count), values);
  const __m512 high = _mm512_maskz_loadu_ps(mask_of(count - kLanes), values + kLanes);
  return (__m512i)_mm512_cvtne2ps_pbh(in_steps(high, has_steps, inverse),
                                      in_steps(low, has_steps, inverse));
}

/// Where the depth lies side by side: blocks of 16 lines and 16 pairs change their axes.
FLOWQAT_BF16_FUNCTION void pack_lines(const Bf16Source& from, int64_t first_line, int64_t width,
                                      int64_t first, int64_t last, uint32_t* to) {
  alignas(64) uint32_t block[kLanes][kLanes];
  for (int64_t line = 0; line < width; line += kLanes) {
    for (int64_t pair = first; pair < last; pair += kLanes) {
      for (int64_t i = 0; i < kLanes; ++i) {
        const int64_t at = first_line + line + i;
        if (at >= from.lines) {
          _mm512_store_si512(block[i], _mm512_setzero_si512());
          continue;
        }
        const float step = from.steps ? from.steps[from.step_a_line ? at : 0] : 1;
        _mm512_store_si512(
            block[i], pairs_of_line(from.values + at * from.line_stride + 2 * pair,
                                    from.depth - 2 * pair, from.steps, _mm512_set1_ps(1 / step)));
      }
      const int64_t count = std::min(kLanes, last - pair);
      for (int64_t j = 0; j < count; ++j) {
        uint32_t* const out = to + (pair - first + j) * width + line;
        for (int64_t i = 0; i < kLanes; ++i) out[i] = block[i][j];
      }
    }
  }
}

/// Where the lines lie side by side.
FLOWQAT_BF16_FUNCTION void pack_depths(const Bf16Source& from, int64_t first_line, int64_t width,
                                       int64_t first, int64_t last, uint32_t* to) {
  for (int64_t line = 0; line < width; line += kLanes) {
    const int64_t at = first_line + line;
    const __mmask16 there = mask_of(from.lines - at);
    __m512 inverse = _mm512_set1_ps(1);
    if (from.steps) {
      const __m512 step = from.step_a_line ? _mm512_mask_loadu_ps(inverse, there, from.steps + at)
                                           : _mm512_set1_ps(from.steps[0]);
      inverse = _mm512_div_ps(inverse, step);
    }
    for (int64_t pair = first; pair < last; ++pair) {
      const float* const values = from.values + 2 * pair * from.depth_stride + at;
      const __mmask16 second = 2 * pair + 1 < from.depth ? there : 0;
      const __m512 even = _mm512_maskz_loadu_ps(there, values);
      const __m512 odd = _mm512_maskz_loadu_ps(second, values + from.depth_stride);
      const __m512i pairs =
          _mm512_or_si512(widened(in_steps(even, from.steps, inverse)),
                          _mm512_slli_epi32(widened(in_steps(odd, from.steps, inverse)), 16));
      _mm512_storeu_si512(to + (pair - first) * width + line, pairs);
    }
  }
}

FLOWQAT_BF16 __m512 finished(__m512 sum, const Bf16Epilogue& epilogue, int64_t column,
                             __mmask16 there) {
  __m512 factor = _mm512_set1_ps(epilogue.factor);
  if (epilogue.factors) {
    factor = _mm512_mul_ps(factor, _mm512_maskz_loadu_ps(there, epilogue.factors + column));
  }
  const __m512 bias =
      epilogue.bias ? _mm512_maskz_loadu_ps(there, epilogue.bias + column) : _mm512_setzero_ps();
  return _mm512_fmadd_ps(sum, factor, bias);
}

}  // namespace

void pack_bf16(const Bf16Source& from, int64_t first_line, int64_t width, int64_t first,
               int64_t last, uint32_t* to) {
  (from.depth_stride == 1 ? pack_lines : pack_depths)(from, first_line, width, first, last, to);
}

FLOWQAT_BF16_FUNCTION void multiply_bf16(const uint32_t* a, const uint32_t* b, int64_t pairs,
                                         float* sums, int64_t stride, int64_t rows, int64_t columns,
                                         bool adds, const Bf16Epilogue* epilogue) {
  __m512 sum[kTileRows][kVectors];
  for (auto& row : sum) {
    for (__m512& vector : row) vector = _mm512_setzero_ps();
  }
  for (int64_t pair = 0; pair < pairs; ++pair) {
    __m512bh column[kVectors];
    for (int64_t v = 0; v < kVectors; ++v) {
      column[v] = (__m512bh)_mm512_loadu_si512(b + pair * kColumnPanel + v * kLanes);
    }
    for (int64_t row = 0; row < kTileRows; ++row) {
      const auto factor = (__m512bh)_mm512_set1_epi32(static_cast<int>(a[pair * kRowPanel + row]));
      for (int64_t v = 0; v < kVectors; ++v) {
        sum[row][v] = _mm512_dpbf16_ps(sum[row][v], factor, column[v]);
      }
    }
  }
  for (int64_t row = 0; row < kTileRows; ++row) {
    if (row >= rows) break;
    for (int64_t v = 0; v < kVectors; ++v) {
      const __mmask16 there = mask_of(columns - v * kLanes);
      float* const place = sums + row * stride + v * kLanes;
      __m512 value = sum[row][v];
      if (adds) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(there, place));
      if (epilogue) value = finished(value, *epilogue, v * kLanes, there);
      _mm512_mask_storeu_ps(place, there, value);
    }
  }
}

#else

void pack_bf16(const Bf16Source&, int64_t, int64_t, int64_t, int64_t, uint32_t*) { std::abort(); }
void multiply_bf16(const uint32_t*, const uint32_t*, int64_t, float*, int64_t, int64_t, int64_t,
                   bool, const Bf16Epilogue*) {
  std::abort();
}

#endif

}  // namespace flowqat::model

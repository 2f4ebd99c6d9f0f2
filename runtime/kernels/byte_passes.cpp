#include "runtime/kernels/byte_passes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/byte_passes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

#include "base/simd/dispatch.h"
#include "runtime/kernels/lanes-inl.h"
#include "runtime/kernels/tile_size.h"

HWY_BEFORE_NAMESPACE();
namespace flowqat::runtime {
namespace HWY_NAMESPACE {
namespace {

void to_operand(Operand operand, const uint8_t* x, int64_t count, void* y) {
  const hn::CappedTag<int16_t, lanes> word;
  const hn::Rebind<uint8_t, decltype(word)> byte;
  const auto width_of_words = static_cast<int64_t>(hn::Lanes(word));
  int64_t i = 0;
  if (operand == Operand::words) {
    auto* const words = static_cast<int16_t*>(y);
    for (; i + width_of_words <= count; i += width_of_words) {
      hn::StoreU(hn::PromoteTo(word, hn::LoadU(byte, x + i)), word, words + i);
    }
    for (; i < count; ++i) words[i] = x[i];
    return;
  }
  auto* const bytes = static_cast<uint8_t*>(y);
  if (operand == Operand::bytes) {
    std::memcpy(bytes, x, static_cast<size_t>(count));
    return;
  }
  for (; i + width_of_words <= count; i += width_of_words) {
    hn::StoreU(hn::Xor(hn::LoadU(byte, x + i), hn::Set(byte, 0x80)), byte, bytes + i);
  }
  for (; i < count; ++i) bytes[i] = x[i] ^ 0x80;
}

void quantize(const float* x, const float* factor, int64_t count, const ByteGrid& grid,
              uint8_t* q) {
  const Floats steps_a_unit = all(1.0f / grid.scale);
  for (int64_t i = 0; i < count; i += lanes) {
    Floats value = load_some(x + i, count - i);
    if (factor) value = value * load_some(factor + i, count - i);
    store_some(to_grid(value * steps_a_unit, grid), q + i, count - i);
  }
}

void dequantize(const uint8_t* q, int64_t count, const ByteGrid& grid, float* x) {
  for (int64_t i = 0; i < count; i += lanes) {
    const Ints steps = load_some(q + i, count - i) - all(grid.zero_point);
    store_some(to_floats(steps) * all(grid.scale), x + i, count - i);
  }
}

void add_moments(const uint8_t* x, int64_t frames, int64_t channels, uint32_t* sum,
                 uint32_t* square) {
  for (int64_t c = 0; c < channels; c += lanes) {
    const int64_t count = std::min(lanes, channels - c);
    Ints sums = all(0), squares = all(0);
    for (int64_t t = 0; t < frames; ++t) {
      const Ints value = load_some(x + t * channels + c, count);
      sums = sums + value;
      squares = squares + value * value;
    }
    uint32_t some[lanes];
    store(sums, reinterpret_cast<int32_t*>(some));
    for (int64_t i = 0; i < count; ++i) sum[c + i] += some[i];
    store(squares, reinterpret_cast<int32_t*>(some));
    for (int64_t i = 0; i < count; ++i) square[c + i] += some[i];
  }
}

void row_sums(const uint8_t* x, int64_t rows, int64_t stride, int64_t depth, int32_t* sums) {
  for (int64_t r = 0; r < rows; ++r) {
    Ints sum = all(0);
    for (int64_t i = 0; i < depth; i += lanes) {
      sum = sum + load_some(x + r * stride + i, depth - i);
    }
    int32_t values[lanes];
    store(sum, values);
    sums[r] = 0;
    for (const int32_t value : values) sums[r] += value;
  }
}

/// Of sixteen columns from `at`.
HWY_INLINE Ints steps_of(const int32_t* sums, const Columns& columns, int64_t at, int32_t row_sum,
                         const ByteGrid& grid) {
  Ints sum = load(sums + at) + load(columns.correction + at);
  if (columns.weight_zero_point) sum = sum - load(columns.weight_zero_point + at) * all(row_sum);
  return to_grid(fused(to_floats(sum), load(columns.multiplier + at), load(columns.offset + at)),
                 grid);
}

struct LookUpOneByOne {
  static void run(const ByteTable& table, const uint8_t* q, uint8_t* y, int64_t count) {
    for (int64_t i = 0; i < count; ++i) y[i] = table.of[q[i]];
  }
};

/// All lines are rounded before the first is looked up: a register cannot be read back at once from
/// what smaller ones have just written.
template <class LookUp>
HWY_INLINE void requantize_lines(const int32_t* sums, int64_t rows, int64_t sums_stride,
                                 const Columns& columns, const int32_t* row_sums,
                                 const ByteGrid& grid, const ProductOutput& y) {
  alignas(64) uint8_t q[most_tile_rows * most_tile_columns];
  for (int64_t r = 0; r < rows; ++r) {
    const int32_t row_sum = row_sums ? row_sums[r] : 0;
    for (int64_t at = 0; at < columns.count; at += lanes) {
      store(steps_of(sums + r * sums_stride, columns, at, row_sum, grid),
            q + r * most_tile_columns + at);
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    const uint8_t* const line = q + r * most_tile_columns;
    if (y.floats) {
      float* const to = y.floats + r * y.stride;
      for (int64_t c = 0; c < columns.count; ++c) to[c] = y.float_table[line[c]];
    } else if (y.byte_table) {
      LookUp::run(*y.byte_table, line, y.bytes + r * y.stride, columns.count);
    } else {
      std::memcpy(y.bytes + r * y.stride, line, static_cast<size_t>(columns.count));
    }
  }
}

void requantize(const int32_t* sums, int64_t rows, int64_t sums_stride, const Columns& columns,
                const int32_t* row_sums, const ByteGrid& grid, const ProductOutput& y) {
  requantize_lines<LookUpOneByOne>(sums, rows, sums_stride, columns, row_sums, grid, y);
}

constexpr BytePasses kPasses{to_operand, quantize, dequantize, add_moments, row_sums, requantize};

#if HWY_TARGET == HWY_AVX3
#define FLOWQAT_VBMI __attribute__((target(HWY_TARGET_STR ",avx512vbmi")))

struct LookUpInRegisters {
  FLOWQAT_VBMI static inline void run(const ByteTable& table, const uint8_t* q, uint8_t* y,
                                      int64_t count) {
    const __m512i bytes = _mm512_load_si512(q);
    const __m512i low = _mm512_permutex2var_epi8(_mm512_load_si512(table.of), bytes,
                                                 _mm512_load_si512(table.of + 64));
    const __m512i high = _mm512_permutex2var_epi8(_mm512_load_si512(table.of + 128), bytes,
                                                  _mm512_load_si512(table.of + 192));
    const __mmask64 some = count >= 64 ? ~__mmask64{0} : (__mmask64{1} << count) - 1;
    _mm512_mask_storeu_epi8(y, some, _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), low, high));
  }
};

FLOWQAT_VBMI void requantize_vbmi(const int32_t* sums, int64_t rows, int64_t sums_stride,
                                  const Columns& columns, const int32_t* row_sums,
                                  const ByteGrid& grid, const ProductOutput& y) {
  requantize_lines<LookUpInRegisters>(sums, rows, sums_stride, columns, row_sums, grid, y);
}

constexpr BytePasses kPassesVbmi{to_operand,  quantize, dequantize,
                                 add_moments, row_sums, requantize_vbmi};
#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace flowqat::runtime
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace flowqat::runtime {

const BytePasses& byte_passes(Target target) {
#if HWY_TARGETS & HWY_AVX3
  if (target == Target::avx512_vbmi || target == Target::amx) return N_AVX3::kPassesVbmi;
#endif
  FLOWQAT_RETURN_FOR(simd_of(target), kPasses)
}

}  // namespace flowqat::runtime
#endif

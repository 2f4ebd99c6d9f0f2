/// On 64-bit ARM: dot products of bytes where the processor has them; of words, to which bytes are
/// widened, where it has not.
#if defined(__aarch64__)
#include <arm_neon.h>

#include <cstring>

#include "runtime/kernels/int8_tile.h"

namespace flowqat::runtime {
namespace {

/// Sixteen columns in four registers of sums a row.
struct Sums {
  int32x4_t of[4];
};

template <int rows>
void store(const Sums* sum, int32_t* sums) {
  for (int r = 0; r < rows; ++r) {
    for (int i = 0; i < 4; ++i) vst1q_s32(sums + 16 * r + 4 * i, sum[r].of[i]);
  }
}

template <int rows, class Activation>
void words(const Activation* a, int64_t stride, const int8_t* b, int64_t groups, int32_t* sums) {
  Sums sum[rows] = {};
  for (int64_t i = 0; i < groups; ++i) {
    const int8x16_t weights = vld1q_s8(b + 16 * i);
    const int16x8_t low = vmovl_s8(vget_low_s8(weights)), high = vmovl_high_s8(weights);
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r) {
      const auto value = static_cast<int16_t>(a[r * stride + i]);
      sum[r].of[0] = vmlal_n_s16(sum[r].of[0], vget_low_s16(low), value);
      sum[r].of[1] = vmlal_high_n_s16(sum[r].of[1], low, value);
      sum[r].of[2] = vmlal_n_s16(sum[r].of[2], vget_low_s16(high), value);
      sum[r].of[3] = vmlal_high_n_s16(sum[r].of[3], high, value);
    }
  }
  store<rows>(sum, sums);
}

#define FLOWQAT_NEON_LOOP(attributes, name, Activation, to_activations, dot)              \
  template <int rows>                                                                     \
  attributes void name(const uint8_t* a, int64_t stride, const int8_t* b, int64_t groups, \
                       int32_t* sums) {                                                   \
    Sums sum[rows] = {};                                                                  \
    for (int64_t group = 0; group < groups; ++group) {                                    \
      int8x16_t weights[4];                                                               \
      for (int i = 0; i < 4; ++i) weights[i] = vld1q_s8(b + 64 * group + 16 * i);         \
      _Pragma("GCC unroll 4") for (int r = 0; r < rows; ++r) {                            \
        int32_t four;                                                                     \
        std::memcpy(&four, a + r * stride + 4 * group, sizeof(four));                     \
        const Activation value = to_activations(vdupq_n_s32(four));                       \
        _Pragma("GCC unroll 4") for (int i = 0; i < 4; ++i) sum[r].of[i] =                \
            dot(sum[r].of[i], value, weights[i]);                                         \
      }                                                                                   \
    }                                                                                     \
    store<rows>(sum, sums);                                                               \
  }

FLOWQAT_NEON_LOOP(__attribute__((target("arch=armv8.2-a+dotprod"))), dotprod, int8x16_t,
                  vreinterpretq_s8_s32, vdotq_s32)
FLOWQAT_NEON_LOOP(__attribute__((target("arch=armv8.2-a+dotprod+i8mm"))), i8mm, uint8x16_t,
                  vreinterpretq_u8_s32, vusdotq_s32)

#define FLOWQAT_NEON_TILE(name, loop, Activation)                                                  \
  void name(int64_t rows, int64_t, const void* a, int64_t stride, const int8_t* b, int64_t groups, \
            int32_t* sums) {                                                                       \
    const auto* const x = static_cast<const Activation*>(a);                                       \
    switch (rows) {                                                                                \
      case 1:                                                                                      \
        return loop<1>(x, stride, b, groups, sums);                                                \
      case 2:                                                                                      \
        return loop<2>(x, stride, b, groups, sums);                                                \
      case 3:                                                                                      \
        return loop<3>(x, stride, b, groups, sums);                                                \
      default:                                                                                     \
        return loop<4>(x, stride, b, groups, sums);                                                \
    }                                                                                              \
  }

FLOWQAT_NEON_TILE(run_bytes, words, uint8_t)
FLOWQAT_NEON_TILE(run_words, words, int16_t)
FLOWQAT_NEON_TILE(run_dotprod, dotprod, uint8_t)
FLOWQAT_NEON_TILE(run_i8mm, i8mm, uint8_t)

}  // namespace

const Int8Tile kNeonTile{"NEON", 4, 16, 1, Operand::bytes, false, run_bytes};
const Int8Tile kNeonWords{"NEON, words", 4, 16, 1, Operand::words, false, run_words};
const Int8Tile kNeonDotprodTile{"SDOT", 4, 16, 4, Operand::signed_bytes, false, run_dotprod};
const Int8Tile kNeonI8mmTile{"USDOT", 4, 16, 4, Operand::bytes, false, run_i8mm};

}  // namespace flowqat::runtime
#endif

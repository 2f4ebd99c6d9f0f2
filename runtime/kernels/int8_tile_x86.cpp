/// On x86: products of bytes where the processor has them (VNNI); of words, to which bytes are
/// widened, where it has not; and of pairs of bytes where their sums fit 16 bits.
#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#include "runtime/kernels/int8_tile.h"

#if !defined(__clang__) && __GNUC__ < 13
// Takes its own header's undefined registers for mistakes of whoever calls (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

namespace flowqat::runtime {
namespace {

#define FLOWQAT_AVX2 __attribute__((target("avx2")))
#define FLOWQAT_AVXVNNI __attribute__((target("avx2,avxvnni")))
#define FLOWQAT_AVX512VL_VNNI __attribute__((target("avx512vl,avx512vnni")))
#define FLOWQAT_AVX512 __attribute__((target("avx512f,avx512bw")))
#define FLOWQAT_AVX512VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))

template <class T>
inline __attribute__((always_inline)) int32_t four_bytes(const T* from) {
  int32_t four;
  std::memcpy(&four, from, sizeof(four));
  return four;
}

// What follows is one loop over tiles of `rows` rows by `vectors` registers of sums. The sums stay
// in registers: GCC keeps arrays there where each loop over them is a single one, unrolled.

/// 256 bits, eight columns a register. add(sum, activations, weights) is what differs.
#define FLOWQAT_LOOP_256(attributes, name, Activation, values_a_step, weight_bytes, load_weights, \
                         add_product)                                                             \
  template <int rows>                                                                             \
  attributes void name(const Activation* a, int64_t stride, const int8_t* b, int64_t groups,      \
                       int32_t* sums) {                                                           \
    constexpr int vectors = 2;                                                                    \
    __m256i sum[rows * vectors];                                                                  \
    _Pragma("GCC unroll 16") for (int i = 0; i < rows * vectors; ++i) sum[i] =                    \
        _mm256_setzero_si256();                                                                   \
    _Pragma("GCC unroll 2") for (int64_t group = 0; group < groups; ++group) {                    \
      const __m256i first = load_weights(b);                                                      \
      const __m256i second = load_weights(b + (weight_bytes));                                    \
      _Pragma("GCC unroll 16") for (int r = 0; r < rows; ++r) {                                   \
        const __m256i value = _mm256_set1_epi32(four_bytes(a + r * stride));                      \
        sum[2 * r] = add_product(sum[2 * r], value, first);                                       \
        sum[2 * r + 1] = add_product(sum[2 * r + 1], value, second);                              \
      }                                                                                           \
      a += (values_a_step);                                                                       \
      b += 2 * (weight_bytes);                                                                    \
    }                                                                                             \
    _Pragma("GCC unroll 16") for (int i = 0; i < rows * vectors; ++i)                             \
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + 8 * i), sum[i]);                    \
  }

#define FLOWQAT_WIDEN(from) \
  _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)))
#define FLOWQAT_LOAD(from) _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))
#define FLOWQAT_ADD_WORDS(sum, value, weight) \
  _mm256_add_epi32(sum, _mm256_madd_epi16(value, weight))
#define FLOWQAT_ADD_PAIRS(sum, value, weight) \
  _mm256_add_epi32(sum,                       \
                   _mm256_madd_epi16(_mm256_maddubs_epi16(value, weight), _mm256_set1_epi16(1)))

FLOWQAT_LOOP_256(FLOWQAT_AVX2, words_256, int16_t, 2, 16, FLOWQAT_WIDEN, FLOWQAT_ADD_WORDS)
FLOWQAT_LOOP_256(FLOWQAT_AVX2, pairs_256, uint8_t, 4, 32, FLOWQAT_LOAD, FLOWQAT_ADD_PAIRS)
FLOWQAT_LOOP_256(FLOWQAT_AVXVNNI, bytes_256, uint8_t, 4, 32, FLOWQAT_LOAD, _mm256_dpbusd_avx_epi32)
FLOWQAT_LOOP_256(FLOWQAT_AVX512VL_VNNI, bytes_256_vl, uint8_t, 4, 32, FLOWQAT_LOAD,
                 _mm256_dpbusd_epi32)

/// 512 bits, sixteen columns a register, up to four registers.
#define FLOWQAT_LOOP_512(attributes, name, Activation, values_a_step, weight_bytes, load_weights, \
                         add_product)                                                             \
  template <int rows, int vectors>                                                                \
  attributes void name(const Activation* a, int64_t stride, const int8_t* b, int64_t groups,      \
                       int32_t* sums) {                                                           \
    __m512i sum[rows * vectors];                                                                  \
    _Pragma("GCC unroll 24") for (int i = 0; i < rows * vectors; ++i) sum[i] =                    \
        _mm512_setzero_si512();                                                                   \
    for (int64_t group = 0; group < groups; ++group) {                                            \
      _Pragma("GCC unroll 24") for (int i = 0; i < rows * vectors; ++i) {                         \
        sum[i] = add_product(sum[i], _mm512_set1_epi32(four_bytes(a + i / vectors * stride)),     \
                             load_weights(b + (weight_bytes) * (i % vectors)));                   \
      }                                                                                           \
      a += (values_a_step);                                                                       \
      b += (weight_bytes)*vectors;                                                                \
    }                                                                                             \
    _Pragma("GCC unroll 24") for (int i = 0; i < rows * vectors; ++i)                             \
        _mm512_storeu_si512(sums + 16 * i, sum[i]);                                               \
  }

#define FLOWQAT_WIDEN_512(from) \
  _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)))
#define FLOWQAT_ADD_WORDS_512(sum, value, weight) \
  _mm512_add_epi32(sum, _mm512_madd_epi16(value, weight))
#define FLOWQAT_ADD_PAIRS_512(sum, value, weight) \
  _mm512_add_epi32(sum,                           \
                   _mm512_madd_epi16(_mm512_maddubs_epi16(value, weight), _mm512_set1_epi16(1)))

FLOWQAT_LOOP_512(FLOWQAT_AVX512, words_512, int16_t, 2, 32, FLOWQAT_WIDEN_512,
                 FLOWQAT_ADD_WORDS_512)
FLOWQAT_LOOP_512(FLOWQAT_AVX512, pairs_512, uint8_t, 4, 64, _mm512_loadu_si512,
                 FLOWQAT_ADD_PAIRS_512)
FLOWQAT_LOOP_512(FLOWQAT_AVX512VNNI, vnni_words_512, int16_t, 2, 32, FLOWQAT_WIDEN_512,
                 _mm512_dpwssd_epi32)
FLOWQAT_LOOP_512(FLOWQAT_AVX512VNNI, bytes_512, uint8_t, 4, 64, _mm512_loadu_si512,
                 _mm512_dpbusd_epi32)

/// The loop for as many rows as there are.
#define FLOWQAT_TILE_256(name, loop, Activation)                                                   \
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

FLOWQAT_TILE_256(run_words_256, words_256, int16_t)
FLOWQAT_TILE_256(run_pairs_256, pairs_256, uint8_t)
FLOWQAT_TILE_256(run_bytes_256, bytes_256, uint8_t)
FLOWQAT_TILE_256(run_bytes_256_vl, bytes_256_vl, uint8_t)

#define FLOWQAT_TILE_512(name, loop, Activation)                                           \
  template <int rows>                                                                      \
  void name##_of(int64_t columns, const Activation* a, int64_t stride, const int8_t* b,    \
                 int64_t groups, int32_t* sums) {                                          \
    switch (columns) {                                                                     \
      case 16:                                                                             \
        return loop<rows, 1>(a, stride, b, groups, sums);                                  \
      case 32:                                                                             \
        return loop<rows, 2>(a, stride, b, groups, sums);                                  \
      case 48:                                                                             \
        return loop<rows, 3>(a, stride, b, groups, sums);                                  \
      default:                                                                             \
        return loop<rows, 4>(a, stride, b, groups, sums);                                  \
    }                                                                                      \
  }                                                                                        \
  void name(int64_t rows, int64_t columns, const void* a, int64_t stride, const int8_t* b, \
            int64_t groups, int32_t* sums) {                                               \
    const auto* const x = static_cast<const Activation*>(a);                               \
    switch (rows) {                                                                        \
      case 1:                                                                              \
        return name##_of<1>(columns, x, stride, b, groups, sums);                          \
      case 2:                                                                              \
        return name##_of<2>(columns, x, stride, b, groups, sums);                          \
      case 3:                                                                              \
        return name##_of<3>(columns, x, stride, b, groups, sums);                          \
      case 4:                                                                              \
        return name##_of<4>(columns, x, stride, b, groups, sums);                          \
      case 5:                                                                              \
        return name##_of<5>(columns, x, stride, b, groups, sums);                          \
      default:                                                                             \
        return name##_of<6>(columns, x, stride, b, groups, sums);                          \
    }                                                                                      \
  }

FLOWQAT_TILE_512(run_words_512, words_512, int16_t)
FLOWQAT_TILE_512(run_pairs_512, pairs_512, uint8_t)
FLOWQAT_TILE_512(run_vnni_words_512, vnni_words_512, int16_t)
FLOWQAT_TILE_512(run_bytes_512, bytes_512, uint8_t)

}  // namespace

const Int8Tile kAvx2Words{"words, 256 bits", 4, 16, 2, Operand::words, false, run_words_256};
const Int8Tile kAvx2Pairs{
    "pairs of bytes, 256 bits", 4, 16, 4, Operand::bytes, true, run_pairs_256};
const Int8Tile kAvxVnniTile{"VNNI, 256 bits", 4, 16, 4, Operand::bytes, false, run_bytes_256};
const Int8Tile kAvx512VlVnniTile{
    "VNNI, 256 bits of AVX-512", 4, 16, 4, Operand::bytes, false, run_bytes_256_vl};
const Int8Tile kAvx512Words{"words, 512 bits", 6, 64, 2, Operand::words, false, run_words_512};
const Int8Tile kAvx512Pairs{
    "pairs of bytes, 512 bits", 6, 64, 4, Operand::bytes, true, run_pairs_512};
const Int8Tile kAvx512VnniTile{"VNNI, 512 bits", 6, 64, 4, Operand::bytes, false, run_bytes_512};
const Int8Tile kAvx512VnniWords{"VNNI, words, 512 bits", 6, 64, 2, Operand::words, false,
                                run_vnni_words_512};

}  // namespace flowqat::runtime
#endif

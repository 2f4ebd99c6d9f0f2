#include "io/resample/polyphase_kernel.h"

#include <cmath>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "io/files/cpu_level.h"

namespace flowqat::io {
namespace {

template <ptrdiff_t rows>
void multiply_scalar(const BandProduct& p) {
  for (ptrdiff_t row = 0; row < rows; ++row) {
    const float* in = p.in + row * p.in_stride;
    float sums[kLanes] = {};
    for (ptrdiff_t tap = 0; tap < p.taps; ++tap) {
      const float* coefficients = p.coefficients + tap * kLanes;
      for (ptrdiff_t lane = 0; lane < kLanes; ++lane) {
        sums[lane] = std::fma(in[tap], coefficients[lane], sums[lane]);
      }
    }
    for (ptrdiff_t lane = 0; lane < kLanes; ++lane) p.out[row * p.out_stride + lane] = sums[lane];
  }
}

#if defined(__x86_64__)
/// Half the lanes at a time: eight sums, a row of coefficients and a sample fill the 16 registers.
template <ptrdiff_t rows>
__attribute__((target("avx2,fma"))) void multiply_avx2(const BandProduct& p) {
  for (ptrdiff_t lane = 0; lane < kLanes; lane += 8) {
    __m256 sums[rows];
    for (ptrdiff_t row = 0; row < rows; ++row) sums[row] = _mm256_setzero_ps();
    for (ptrdiff_t tap = 0; tap < p.taps; ++tap) {
      const __m256 coefficients = _mm256_loadu_ps(p.coefficients + tap * kLanes + lane);
      for (ptrdiff_t row = 0; row < rows; ++row) {
        const __m256 sample = _mm256_broadcast_ss(p.in + row * p.in_stride + tap);
        sums[row] = _mm256_fmadd_ps(sample, coefficients, sums[row]);
      }
    }
    for (ptrdiff_t row = 0; row < rows; ++row) {
      _mm256_storeu_ps(p.out + row * p.out_stride + lane, sums[row]);
    }
  }
}

template <ptrdiff_t rows>
__attribute__((target("avx512f"))) void multiply_avx512(const BandProduct& p) {
  __m512 sums[rows];
  for (ptrdiff_t row = 0; row < rows; ++row) sums[row] = _mm512_setzero_ps();
  for (ptrdiff_t tap = 0; tap < p.taps; ++tap) {
    const __m512 coefficients = _mm512_loadu_ps(p.coefficients + tap * kLanes);
    for (ptrdiff_t row = 0; row < rows; ++row) {
      const __m512 sample = _mm512_set1_ps(p.in[row * p.in_stride + tap]);
      sums[row] = _mm512_fmadd_ps(sample, coefficients, sums[row]);
    }
  }
  for (ptrdiff_t row = 0; row < rows; ++row) {
    _mm512_storeu_ps(p.out + row * p.out_stride, sums[row]);
  }
}
#endif

template <ptrdiff_t rows>
void multiply_rows(InstructionSet set, const BandProduct& product) {
#if defined(__x86_64__)
  if (set == InstructionSet::avx512) return multiply_avx512<rows>(product);
  if (set == InstructionSet::avx2) return multiply_avx2<rows>(product);
#else
  (void)set;
#endif
  multiply_scalar<rows>(product);
}

}  // namespace

std::vector<InstructionSet> instruction_sets() {
  std::vector<InstructionSet> sets{InstructionSet::scalar};
  if (cpu_level() >= CpuLevel::avx2) sets.push_back(InstructionSet::avx2);
  if (cpu_level() >= CpuLevel::avx512) sets.push_back(InstructionSet::avx512);
  return sets;
}

InstructionSet best_instruction_set() {
  static const InstructionSet best = instruction_sets().back();
  return best;
}

const char* name_of(InstructionSet set) {
  switch (set) {
    case InstructionSet::avx2:
      return "avx2";
    case InstructionSet::avx512:
      return "avx512";
    default:
      return "scalar";
  }
}

void multiply(InstructionSet set, const BandProduct& product, bool one_row) {
  if (one_row) {
    multiply_rows<1>(set, product);
  } else {
    multiply_rows<kRows>(set, product);
  }
}

}  // namespace flowqat::io

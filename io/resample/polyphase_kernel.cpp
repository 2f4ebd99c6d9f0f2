#include "io/resample/polyphase_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "io/resample/polyphase_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "base/simd/dispatch.h"

HWY_BEFORE_NAMESPACE();
namespace flowqat::io {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::CappedTag<float, kLanes>;
using Register = hn::Vec<Tag>;

constexpr auto width = static_cast<ptrdiff_t>(hn::MaxLanes(Tag()));
/// Registers of a row at a time: with kRows of sums, their coefficients and a sample they fit the
/// 16 registers of AVX2, and the 32 of NEON, which needs more sums to be busy.
constexpr ptrdiff_t parts = HWY_TARGET == HWY_NEON ? 2 : 1;

/// a b + c, rounded once.
HWY_INLINE Register fused(Register a, Register b, Register c) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(Tag(), __builtin_fmaf(hn::GetLane(a), hn::GetLane(b), hn::GetLane(c)));
#else
  return hn::MulAdd(a, b, c);
#endif
}

template <ptrdiff_t rows>
void multiply_rows(const BandProduct& p) {
  const Tag tag;
  for (ptrdiff_t lane = 0; lane < kLanes; lane += parts * width) {
    Register sums[rows][parts];
    for (auto& row : sums) {
      for (Register& sum : row) sum = hn::Zero(tag);
    }
    for (ptrdiff_t tap = 0; tap < p.taps; ++tap) {
      Register coefficients[parts];
      for (ptrdiff_t part = 0; part < parts; ++part) {
        coefficients[part] = hn::LoadU(tag, p.coefficients + tap * kLanes + lane + part * width);
      }
      for (ptrdiff_t row = 0; row < rows; ++row) {
        const Register sample = hn::Set(tag, p.in[row * p.in_stride + tap]);
        for (ptrdiff_t part = 0; part < parts; ++part) {
          sums[row][part] = fused(sample, coefficients[part], sums[row][part]);
        }
      }
    }
    for (ptrdiff_t row = 0; row < rows; ++row) {
      for (ptrdiff_t part = 0; part < parts; ++part) {
        hn::StoreU(sums[row][part], tag, p.out + row * p.out_stride + lane + part * width);
      }
    }
  }
}

constexpr void (*kMultiply[2])(const BandProduct&) = {multiply_rows<kRows>, multiply_rows<1>};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace flowqat::io
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace flowqat::io {
namespace {

void (*const* kernels(Simd simd))(const BandProduct&) { FLOWQAT_RETURN_FOR(simd, kMultiply) }

}  // namespace

void multiply(Simd simd, const BandProduct& product, bool one_row) {
  kernels(simd)[one_row ? 1 : 0](product);
}

}  // namespace flowqat::io
#endif

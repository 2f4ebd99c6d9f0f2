/// Sixteen values at a time, whatever the registers hold: so that a sum over many values adds in
/// the same order, and comes out the same, on every processor. Read once for each instruction set.
#if defined(FLOWQAT_RUNTIME_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FLOWQAT_RUNTIME_LANES_INL_H
#undef FLOWQAT_RUNTIME_LANES_INL_H
#else
#define FLOWQAT_RUNTIME_LANES_INL_H
#endif

#include <hwy/highway.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "runtime/kernels/grid.h"

HWY_BEFORE_NAMESPACE();
namespace flowqat::runtime {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int64_t lanes = 16;
using FloatTag = hn::CappedTag<float, lanes>;
using IntTag = hn::RebindToSigned<FloatTag>;
using ByteTag = hn::Rebind<uint8_t, FloatTag>;
constexpr int64_t width = hn::MaxLanes(FloatTag());  ///< of a register
constexpr int64_t parts = lanes / width;

struct Floats {
  hn::Vec<FloatTag> of[parts];
};
struct Ints {
  hn::Vec<IntTag> of[parts];
};

/// result.of[i] = expression, in which `i` counts the registers.
#define FLOWQAT_EACH_PART(result, expression) \
  _Pragma("GCC unroll 16") for (int64_t i = 0; i < parts; ++i)(result).of[i] = expression;

HWY_INLINE Floats load(const float* x) {
  Floats y;
  FLOWQAT_EACH_PART(y, hn::LoadU(FloatTag(), x + i * width))
  return y;
}
HWY_INLINE Ints load(const int32_t* x) {
  Ints y;
  FLOWQAT_EACH_PART(y, hn::LoadU(IntTag(), x + i * width))
  return y;
}
HWY_INLINE Ints load(const uint8_t* x) {
  Ints y;
  FLOWQAT_EACH_PART(y, hn::PromoteTo(IntTag(), hn::LoadU(ByteTag(), x + i * width)))
  return y;
}
HWY_INLINE void store(const Floats& x, float* y) {
  _Pragma("GCC unroll 16") for (int64_t i = 0; i < parts; ++i)
      hn::StoreU(x.of[i], FloatTag(), y + i * width);
}
HWY_INLINE void store(const Ints& x, int32_t* y) {
  _Pragma("GCC unroll 16") for (int64_t i = 0; i < parts; ++i)
      hn::StoreU(x.of[i], IntTag(), y + i * width);
}
/// Of values that fit 16 bits.
HWY_INLINE void store(const Ints& x, int16_t* y) {
  const hn::Rebind<int16_t, FloatTag> words;
  _Pragma("GCC unroll 16") for (int64_t i = 0; i < parts; ++i)
      hn::StoreU(hn::DemoteTo(words, x.of[i]), words, y + i * width);
}
/// Of values from 0 to 255.
HWY_INLINE void store(const Ints& x, uint8_t* y) {
  _Pragma("GCC unroll 16") for (int64_t i = 0; i < parts; ++i)
      hn::StoreU(hn::DemoteTo(ByteTag(), x.of[i]), ByteTag(), y + i * width);
}

/// The first `count` of the sixteen; zeros for the others.
template <class T>
HWY_INLINE auto load_some(const T* x, int64_t count) {
  if (count >= lanes) return load(x);
  T some[lanes] = {};
  std::memcpy(some, x, static_cast<size_t>(count) * sizeof(T));
  return load(some);
}
template <class Values, class T>
HWY_INLINE void store_some(const Values& x, T* y, int64_t count) {
  if (count >= lanes) return store(x, y);
  T some[lanes];
  store(x, some);
  std::memcpy(y, some, static_cast<size_t>(count) * sizeof(T));
}

HWY_INLINE Floats all(float x) {
  Floats y;
  FLOWQAT_EACH_PART(y, hn::Set(FloatTag(), x))
  return y;
}
HWY_INLINE Ints all(int32_t x) {
  Ints y;
  FLOWQAT_EACH_PART(y, hn::Set(IntTag(), x))
  return y;
}

#define FLOWQAT_LANES_BINARY(name, Values, operation)        \
  HWY_INLINE Values name(const Values& a, const Values& b) { \
    Values y;                                                \
    FLOWQAT_EACH_PART(y, hn::operation(a.of[i], b.of[i]))    \
    return y;                                                \
  }
FLOWQAT_LANES_BINARY(operator+, Floats, Add)
FLOWQAT_LANES_BINARY(operator-, Floats, Sub)
FLOWQAT_LANES_BINARY(operator*, Floats, Mul)
FLOWQAT_LANES_BINARY(operator/, Floats, Div)
FLOWQAT_LANES_BINARY(least, Floats, Min)
FLOWQAT_LANES_BINARY(greatest, Floats, Max)
FLOWQAT_LANES_BINARY(operator+, Ints, Add)
FLOWQAT_LANES_BINARY(operator-, Ints, Sub)
FLOWQAT_LANES_BINARY(operator*, Ints, Mul)
FLOWQAT_LANES_BINARY(least, Ints, Min)
FLOWQAT_LANES_BINARY(greatest, Ints, Max)
#undef FLOWQAT_LANES_BINARY

/// a b + c, rounded once: what every processor's own instruction does.
HWY_INLINE Floats fused(const Floats& a, const Floats& b, const Floats& c) {
  Floats y;
#if HWY_TARGET == HWY_SCALAR
  FLOWQAT_EACH_PART(
      y, hn::Set(FloatTag(),
                 __builtin_fmaf(hn::GetLane(a.of[i]), hn::GetLane(b.of[i]), hn::GetLane(c.of[i]))))
#else
  FLOWQAT_EACH_PART(y, hn::MulAdd(a.of[i], b.of[i], c.of[i]))
#endif
  return y;
}

HWY_INLINE Floats to_floats(const Ints& x) {
  Floats y;
  FLOWQAT_EACH_PART(y, hn::ConvertTo(FloatTag(), x.of[i]))
  return y;
}
/// To the nearest, halves to the even one. Of values that fit 32 bits.
HWY_INLINE Ints nearest(const Floats& x) {
  Ints y;
#if HWY_TARGET == HWY_SCALAR
  FLOWQAT_EACH_PART(y,
                    hn::Set(IntTag(), static_cast<int32_t>(__builtin_rintf(hn::GetLane(x.of[i])))))
#else
  FLOWQAT_EACH_PART(y, hn::NearestInt(x.of[i]))
#endif
  return y;
}
/// 2^x, of -126 to 127.
HWY_INLINE Floats power_of_two(const Ints& x) {
  Floats y;
  FLOWQAT_EACH_PART(
      y, hn::BitCast(FloatTag(), hn::ShiftLeft<23>(hn::Add(x.of[i], hn::Set(IntTag(), 127)))))
  return y;
}
HWY_INLINE Floats absolute(const Floats& x) {
  Floats y;
  FLOWQAT_EACH_PART(y, hn::Abs(x.of[i]))
  return y;
}
/// The magnitude of a with the sign of b.
HWY_INLINE Floats with_sign(const Floats& a, const Floats& b) {
  Floats y;
  FLOWQAT_EACH_PART(y, hn::CopySign(a.of[i], b.of[i]))
  return y;
}

/// The sum of the sixteen, always in the same order.
HWY_INLINE float total(const Floats& x) {
  float sums[lanes];
  store(x, sums);
  for (int64_t half = lanes / 2; half > 0; half /= 2) {
    for (int64_t i = 0; i < half; ++i) sums[i] += sums[i + half];
  }
  return sums[0];
}
HWY_INLINE int32_t highest_of(const Ints& x) {
  int32_t values[lanes];
  store(x, values);
  int32_t highest = values[0];
  for (const int32_t value : values) highest = value > highest ? value : highest;
  return highest;
}
HWY_INLINE float highest_of(const Floats& x) {
  float values[lanes];
  store(x, values);
  float highest = values[0];
  for (const float value : values) highest = value > highest ? value : highest;
  return highest;
}

/// e^x for x <= 0, to about one unit in the last place (Cody and Waite 1980, chapter 6); what would
/// be below 1e-38 is about that.
HWY_INLINE Floats exponential(Floats x) {
  x = greatest(x, all(-87.0f));
  const Ints n = nearest(x * all(1.44269504f));
  const Floats whole = to_floats(n);
  Floats r = fused(whole, all(-0.693359375f), x);
  r = fused(whole, all(2.12194440e-4f), r);
  Floats y = all(1.0f / 720);
  for (const float coefficient : {1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) {
    y = fused(y, r, all(coefficient));
  }
  return y * power_of_two(n);
}

/// round(steps) + zero point, clamped to the grid.
HWY_INLINE Ints to_grid(const Floats& steps, const ByteGrid& grid) {
  const Floats below = least(steps, all(static_cast<float>(grid.highest - grid.zero_point)));
  return nearest(greatest(below, all(static_cast<float>(-grid.zero_point)))) + all(grid.zero_point);
}

}  // namespace HWY_NAMESPACE
}  // namespace flowqat::runtime
HWY_AFTER_NAMESPACE();
#endif

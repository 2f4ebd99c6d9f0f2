#include "runtime/kernels/float_passes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "runtime/kernels/float_passes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

#include "base/simd/dispatch.h"
#include "runtime/kernels/float_tile-inl.h"
#include "runtime/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace flowqat::runtime {
namespace HWY_NAMESPACE {
namespace {

float add(const float* x, const uint8_t* bytes, const ByteGrid& grid, int64_t channels,
          float* sum) {
  const Ints zero = all(grid.zero_point);
  const Floats step = all(grid.scale);
  Floats sums = all(0.0f);
  for (int64_t c = 0; c < channels; c += lanes) {
    const int64_t count = channels - c;
    Floats value = x ? load_some(x + c, count) : all(0.0f);
    if (bytes && count >= lanes) {
      value = value + to_floats(load(bytes + c) - zero) * step;
    } else if (bytes) {  // behind the last channel stand no steps, but zeros
      float steps[lanes] = {};
      for (int64_t i = 0; i < count; ++i) {
        steps[i] = static_cast<float>(bytes[c + i] - grid.zero_point);
      }
      value = value + load(steps) * step;
    }
    store_some(value, sum + c, count);
    sums = sums + value;
  }
  return total(sums) / static_cast<float>(channels);
}

float variance(const float* x, float mean, int64_t channels) {
  Floats sums = all(0.0f);
  const int64_t whole = channels / lanes * lanes;
  for (int64_t c = 0; c < whole; c += lanes) {
    const Floats apart = load(x + c) - all(mean);
    sums = fused(apart, apart, sums);
  }
  if (whole < channels) {
    float apart[lanes] = {};
    for (int64_t i = 0; i < channels - whole; ++i) apart[i] = x[whole + i] - mean;
    sums = fused(load(apart), load(apart), sums);
  }
  return total(sums) / static_cast<float>(channels);
}

void norm(const float* x, int64_t channels, const NormLine& line) {
  const Floats steps_a_unit = all(1.0f / line.grid.scale);
  for (int64_t c = 0; c < channels; c += lanes) {
    const int64_t count = channels - c;
    const Floats apart = load_some(x + c, count) - all(line.mean);
    Floats y = fused(apart * all(line.reciprocal_deviation), load_some(line.weight + c, count),
                     load_some(line.bias + c, count));
    if (line.normed) store_some(y, line.normed + c, count);
    if (!line.bytes) continue;
    if (line.factor) y = y * load_some(line.factor + c, count);
    store_some(to_grid(y * steps_a_unit, line.grid), line.bytes + c, count);
  }
}

float softmax_integers(int32_t* scores, const int32_t* offset, const float* allowed, int64_t count,
                       float scale) {
  Ints highest = all(INT32_MIN);
  for (int64_t t = 0; t < count; t += lanes) {
    const Ints score = load(scores + t) + load(offset + t);
    store(score, scores + t);
    highest = greatest(highest, score);
  }
  const Ints top = all(highest_of(highest));
  Floats sums = all(0.0f);
  for (int64_t t = 0; t < count; t += lanes) {
    const Floats below = to_floats(load(scores + t) - top) * all(scale);
    const Floats weight = exponential(below) * load(allowed + t);
    store(weight, reinterpret_cast<float*>(scores) + t);
    sums = sums + weight;
  }
  return total(sums);
}

float softmax(float* scores, const float* allowed, int64_t count, float scale) {
  Floats highest = all(-3e38f);
  for (int64_t t = 0; t < count; t += lanes) {
    // What may not be attended to is not to be the highest either.
    const Floats hidden = (all(1.0f) - load(allowed + t)) * all(-1e30f);
    const Floats score = fused(load(scores + t), load(allowed + t), hidden);
    store(score, scores + t);
    highest = greatest(highest, score);
  }
  const Floats top = all(highest_of(highest));
  Floats sums = all(0.0f);
  for (int64_t t = 0; t < count; t += lanes) {
    const Floats weight = exponential((load(scores + t) - top) * all(scale)) * load(allowed + t);
    store(weight, scores + t);
    sums = sums + weight;
  }
  return total(sums);
}

int32_t to_words(const float* x, int64_t count, float factor, int16_t* y) {
  Ints sums = all(0);
  for (int64_t i = 0; i < count; i += lanes) {
    const Ints words = nearest(load(x + i) * all(factor));
    store(words, y + i);
    sums = sums + words;
  }
  int32_t values[lanes];
  store(sums, values);
  int32_t sum = 0;
  for (const int32_t value : values) sum += value;
  return sum;
}

void scale_integers(const int32_t* x, int64_t count, float factor, float shift, float* y) {
  for (int64_t i = 0; i < count; i += lanes) {
    store_some(fused(to_floats(load_some(x + i, count - i)), all(factor), all(shift)), y + i,
               count - i);
  }
}

void scale(const float* x, int64_t count, float factor, float* y) {
  for (int64_t i = 0; i < count; i += lanes) {
    store_some(load_some(x + i, count - i) * all(factor), y + i, count - i);
  }
}

void gelu(float* x, int64_t count) {
  for (int64_t i = 0; i < count; i += lanes) {
    const Floats value = load_some(x + i, count - i);
    const Floats z = absolute(value) * all(0.707106781f);
    const Floats t = all(1.0f) / fused(z, all(0.3275911f), all(1.0f));
    Floats y = all(1.061405429f);
    for (const float coefficient : {-1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f}) {
      y = fused(y, t, all(coefficient));
    }
    const Floats tail = y * t * exponential(z * z * all(-1.0f));
    const Floats erf = with_sign(all(1.0f) - tail, value);
    store_some(value * all(0.5f) * (all(1.0f) + erf), x + i, count - i);
  }
}

constexpr FloatPasses kPasses{add,     variance, norm,           softmax_integers,
                              softmax, to_words, scale_integers, scale,
                              gelu,    tile,     rows_of_tile,   columns_of_tile};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace flowqat::runtime
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace flowqat::runtime {

const FloatPasses& float_passes(Target target) { FLOWQAT_RETURN_FOR(simd_of(target), kPasses) }

}  // namespace flowqat::runtime
#endif

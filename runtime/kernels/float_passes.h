/// Passes over activations in float32, and those that end in bytes.
#pragma once
#include <cstdint>

#include "base/simd/target.h"
#include "runtime/kernels/grid.h"

namespace flowqat::runtime {

/// A layer norm, and where its result goes.
struct NormLine {
  float mean, reciprocal_deviation;
  const float* weight;
  const float* bias;
  float* normed;        ///< null: not wanted
  uint8_t* bytes;       ///< null: not wanted
  const float* factor;  ///< the norm's channels times these, in bytes; null: none
  ByteGrid grid;        ///< of the bytes
};

/// All sums over channels or frames are of sixteen lanes, whatever the registers hold: the same on
/// every processor.
struct FloatPasses {
  /// sum = x + (bytes - zero point) scale, where x or bytes may be null; returns the mean. `sum`
  /// may be x.
  float (*add)(const float* x, const uint8_t* bytes, const ByteGrid& grid, int64_t channels,
               float* sum);
  /// The mean of (x - mean)^2.
  float (*variance)(const float* x, float mean, int64_t channels);
  /// (x - mean) / deviation weight + bias.
  void (*norm)(const float* x, int64_t channels, const NormLine& line);
  /// In place of `count` scores e^(scale (score + offset - highest)) allowed; returns their sum.
  /// offset, allowed: [count].
  float (*softmax_integers)(int32_t* scores, const int32_t* offset, const float* allowed,
                            int64_t count, float scale);
  /// The same of scores in float32, without an offset.
  float (*softmax)(float* scores, const float* allowed, int64_t count, float scale);
  /// Words round(x factor) of values from 0, of which none is to be above 32767; returns their sum,
  /// which is to fit 32 bits. `count` is a multiple of 16.
  int32_t (*to_words)(const float* x, int64_t count, float factor, int16_t* y);
  /// y = x factor + shift of integers.
  void (*scale_integers)(const int32_t* x, int64_t count, float factor, float shift, float* y);
  /// y = x factor.
  void (*scale)(const float* x, int64_t count, float factor, float* y);
  /// GELU in its exact form, x (1 + erf(x / sqrt 2)) / 2, in place; erf by Abramowitz and Stegun,
  /// 7.1.26, to 2e-7.
  void (*gelu)(float* x, int64_t count);
  /// sums[row][column] (+)= sum over depth of a[row][i] b[i][column], in the order of i. a: `rows`
  /// rows (1 to rows_of_tile), `stride` floats apart; b: [depth][columns], `columns` a multiple of
  /// 16 up to columns_of_tile; sums: [rows][columns].
  void (*tile)(int64_t rows, int64_t columns, const float* a, int64_t stride, const float* b,
               int64_t depth, bool add, float* sums);
  int64_t rows_of_tile, columns_of_tile;
};

const FloatPasses& float_passes(Target target);

}  // namespace flowqat::runtime

#include "recognizer/normalize.h"

#include <cmath>
#include <numeric>

#include "base/simd/vectorize.h"

namespace flowqat::recognizer {
namespace {

/// Partial sums, in double precision, that additions need not wait for one another.
constexpr size_t kLanes = 16;

double total(const double (&lanes)[kLanes]) { return std::accumulate(lanes, lanes + kLanes, 0.0); }

FLOWQAT_INLINE double sum(const float* samples, size_t count) {
  double lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += samples[i + lane];
  }
  for (; i < count; ++i) lanes[0] += samples[i];
  return total(lanes);
}

FLOWQAT_INLINE double sum_of_squares(const float* samples, size_t count, double mean) {
  double lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const double centred = samples[i + lane] - mean;
      lanes[lane] += centred * centred;
    }
  }
  for (; i < count; ++i) lanes[0] += (samples[i] - mean) * (samples[i] - mean);
  return total(lanes);
}

FLOWQAT_INLINE void shift_and_scale(const float* in, float* out, size_t count, float shift,
                                    float scale) {
  for (size_t i = 0; i < count; ++i) out[i] = (in[i] - shift) * scale;
}

}  // namespace

void normalize(std::span<const float> in, std::span<float> out) {
  const auto count = static_cast<double>(in.size());
  const double mean = vectorized<sum>(in.data(), in.size()) / count;
  const double variance = vectorized<sum_of_squares>(in.data(), in.size(), mean) / count;
  vectorized<shift_and_scale>(in.data(), out.data(), in.size(), static_cast<float>(mean),
                              static_cast<float>(1 / std::sqrt(variance + 1e-7)));
}

}  // namespace flowqat::recognizer

#include "recognizer/normalize.h"

#include <cmath>
#include <numeric>

#include "io/files/cpu_level.h"

namespace flowqat::recognizer {
namespace {

#define FLOWQAT_LOOP inline __attribute__((always_inline))

#if defined(__x86_64__)
template <auto loop, class... Arguments>
__attribute__((target("avx2"))) auto wide(Arguments... arguments) {
  return loop(arguments...);
}
#endif

/// Runs the loop in wide registers where the processor has them. Not with FMA: the result shall be
/// the same everywhere.
template <auto loop, class... Arguments>
auto run(Arguments... arguments) {
#if defined(__x86_64__)
  if (io::cpu_level() >= io::CpuLevel::avx2) return wide<loop>(arguments...);
#endif
  return loop(arguments...);
}

/// Partial sums, in double precision, that additions need not wait for one another.
constexpr size_t kLanes = 16;

double total(const double (&lanes)[kLanes]) { return std::accumulate(lanes, lanes + kLanes, 0.0); }

FLOWQAT_LOOP double sum(const float* samples, size_t count) {
  double lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += samples[i + lane];
  }
  for (; i < count; ++i) lanes[0] += samples[i];
  return total(lanes);
}

FLOWQAT_LOOP double sum_of_squares(const float* samples, size_t count, double mean) {
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

FLOWQAT_LOOP void shift_and_scale(const float* in, float* out, size_t count, float shift,
                                  float scale) {
  for (size_t i = 0; i < count; ++i) out[i] = (in[i] - shift) * scale;
}

}  // namespace

void normalize(std::span<const float> in, std::span<float> out) {
  const auto count = static_cast<double>(in.size());
  const double mean = run<sum>(in.data(), in.size()) / count;
  const double variance = run<sum_of_squares>(in.data(), in.size(), mean) / count;
  run<shift_and_scale>(in.data(), out.data(), in.size(), static_cast<float>(mean),
                       static_cast<float>(1 / std::sqrt(variance + 1e-7)));
}

}  // namespace flowqat::recognizer

/// Sample-rate conversion by ratios of small whole numbers: a windowed-sinc filter with a set of
/// coefficients for each phase (Crochiere and Rabiner 1981, "Interpolation and Decimation of
/// Digital Signals: A Tutorial Review"). Flat within 0.1 dB up to 0.9 of the lower Nyquist
/// frequency; from 1.05 of it on rejected by 100 dB; tests/io/resample/resample_quality_test.cpp
/// holds it.
#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "io/resample/polyphase_kernel.h"

namespace flowqat::io {

/// up / down in lowest terms: output rate over input rate.
struct RatioTerms {
  int64_t up = 1;
  int64_t down = 1;
  bool operator==(const RatioTerms&) const = default;
};

/// The terms of a ratio that the polyphase resampler can do: within 1e-12 of `ratio`, none above
/// 1000, and a table of coefficients of at most 1 MiB. Speed factors in hundredths and the usual
/// rates have them, a factor drawn from a range has none.
std::optional<RatioTerms> polyphase_terms(double ratio);

/// Fills all of `out`. Output sample n lies at input time n * down / up; the signal is taken as
/// zero before and behind `in`, which `out` never overlaps. Throws Error for terms that
/// polyphase_terms() would not give. Thread-safe; the same bits with every set.
void resample_polyphase(std::span<const float> in, RatioTerms terms, std::span<float> out,
                        Simd simd = simd_of(best_target()));

}  // namespace flowqat::io

/// Sample-rate conversion by any ratio, by libsoxr at its quality HQ: flat up to 0.91 of the lower
/// Nyquist frequency, precision of 20 bits.
#pragma once
#include <span>

namespace flowqat::io {

/// Fills all of `out`; ratio, time and ends as in io/resample/resample.h. Throws Error for a
/// failure of libsoxr. Thread-safe and deterministic: every call has a resampler of its own.
void resample_soxr(std::span<const float> in, double ratio, std::span<float> out);

}  // namespace flowqat::io

/// Convolution of long signals through the FFT.
#pragma once
#include <cstddef>
#include <span>

namespace flowqat::io {

/// Writes out[n] = sum over k of response[k] * in[n + delay - k] for every n of `out`; `in` is zero
/// outside its ends. `delay` is the sample of the response that shall lie on time zero: its peak,
/// or the middle of a symmetric filter. `out` does not overlap `in`.
/// Errors are about 1e-7 of the largest possible sum. Thread-safe, and the same bits at every call
/// on one kind of processor.
void convolve(std::span<const float> in, std::span<const float> response, size_t delay,
              std::span<float> out);

}  // namespace flowqat::io

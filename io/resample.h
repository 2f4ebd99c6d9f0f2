/// Sample-rate conversion by any ratio, by libsamplerate (band-limited interpolation after
/// J. O. Smith, "Digital Audio Resampling Home Page", CCRMA).
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace flowqat::io {

/// libsamplerate's converters, best first. Signal-to-noise ratio and cost differ by far more than
/// names suggest: tests/io/resample_test.cpp holds the measured table.
enum class Converter { sinc_best, sinc_medium, sinc_fastest, linear };

/// "best", "medium", "fastest" or "linear". Throws Error listing these for any other text.
Converter parse_converter(const std::string& text);
/// The texts that parse_converter knows, best first.
std::vector<std::string> converter_names();

/// The length rule: samples * ratio, rounded to the nearest integer, halves up. `ratio` is output
/// rate over input rate; speed factor f means ratio 1 / f.
int64_t resampled_samples(int64_t samples, double ratio);

/// Resamples all of `in` into `out`, whose size must be resampled_samples(in.size(), ratio). Output
/// sample n lies at input time n / ratio; the signal is taken as zero before and behind `in`.
/// Throws Error for a ratio outside 1/256..256, a wrong size of `out`, or a failure of
/// libsamplerate. Thread-safe and deterministic: converters are reused from a pool, but always from
/// a fresh state.
void resample(std::span<const float> in, double ratio, Converter converter, std::span<float> out);

}  // namespace flowqat::io

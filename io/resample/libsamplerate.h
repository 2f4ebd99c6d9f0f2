/// Sample-rate conversion by any ratio, by libsamplerate (band-limited interpolation after
/// J. O. Smith, "Digital Audio Resampling Home Page", CCRMA). The slowest of the engines.
#pragma once
#include <span>
#include <string>
#include <vector>

namespace flowqat::io {

/// libsamplerate's converters, best first. Signal-to-noise ratio and cost differ by far more than
/// names suggest: tests/io/resample/resample_test.cpp holds the measured table.
enum class Converter { sinc_best, sinc_medium, sinc_fastest, linear };

/// "best", "medium", "fastest" or "linear". Throws Error listing these for any other text.
Converter parse_converter(const std::string& text);
/// The texts that parse_converter knows, best first.
std::vector<std::string> converter_names();

/// Fills all of `out`; ratio, time and ends as in io/resample/resample.h. Throws Error for a
/// failure of libsamplerate. Thread-safe and deterministic: converters are reused from a pool, but
/// always from a fresh state.
void resample_libsamplerate(std::span<const float> in, double ratio, Converter converter,
                            std::span<float> out);

}  // namespace flowqat::io

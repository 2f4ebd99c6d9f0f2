/// Sample-rate conversion by any ratio: one face for the engines that do it.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/resample/libsamplerate.h"

namespace flowqat::io {

/// automatic: polyphase for the ratios it can do, soxr for all others. Their quality is held by
/// tests/io/resample/resample_quality_test.cpp, their cost measured by bench/resample.cpp.
enum class Engine { automatic, polyphase, soxr, libsamplerate };

/// "auto", "polyphase", "soxr" or "libsamplerate". Throws Error listing these for any other text.
Engine parse_engine(const std::string& text);
/// The texts that parse_engine knows, the default first.
std::vector<std::string> engine_names();

struct ResampleOptions {
  Engine engine = Engine::automatic;
  Converter converter = Converter::sinc_medium;  ///< of libsamplerate; the others do not read it
};

/// The length rule: samples * ratio, rounded to the nearest integer, halves up. `ratio` is output
/// rate over input rate; speed factor f means ratio 1 / f.
int64_t resampled_samples(int64_t samples, double ratio);

/// Throws Error if `engine` cannot resample by `ratio`: outside 1/256..256, or without a table for
/// the polyphase engine (see polyphase_terms).
void check_ratio(double ratio, Engine engine);

/// Resamples all of `in` into `out`, whose size must be resampled_samples(in.size(), ratio). Output
/// sample n lies at input time n / ratio; the signal is taken as zero before and behind `in`. Ratio
/// 1 copies. Throws Error as check_ratio() does, for a wrong size of `out`, or for a failure of a
/// library. Thread-safe, and the same bits whatever was done before and beside it.
void resample(std::span<const float> in, double ratio, ResampleOptions options,
              std::span<float> out);
/// The same by libsamplerate.
void resample(std::span<const float> in, double ratio, Converter converter, std::span<float> out);

}  // namespace flowqat::io

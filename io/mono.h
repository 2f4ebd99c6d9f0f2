/// Decoded frames to mono floats.
#pragma once
#include "io/ffmpeg.h"

namespace flowqat::io {

/// Writes the frame's nb_samples to `out`, the channels averaged. Integers of b bits become
/// x / 2^(b-1) (8 bits: (x - 128) / 128). False for a sample format that it does not know.
bool average_channels(const AVFrame& frame, float* out);

}  // namespace flowqat::io

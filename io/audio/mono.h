/// Decoded frames to mono floats.
#pragma once
#include "io/audio/ffmpeg.h"
#include "io/audio/flac/block.h"

namespace flowqat::io {

/// Writes the frame's samples to `out`, the channels averaged. Integers of b bits become x /
/// 2^(b-1) (unsigned 8 bits: (x - 128) / 128). False for a sample format that it does not know.
bool average_channels(const AVFrame& frame, float* out);
/// The same of a FLAC frame; always true.
bool average_channels(const FlacBlock& block, float* out);

}  // namespace flowqat::io

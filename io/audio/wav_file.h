/// The one thing about WAV that libavformat does not report.
#pragma once
#include "io/files/input_file.h"

namespace flowqat::io {

/// Throws Error when the file is RIFF/WAVE and its data chunk promises more bytes than are there:
/// libavformat would silently return what is left. Sizes of 0 and 2^32 - 1, which stand for
/// "unknown" where WAV is written to a pipe, are accepted, and so is any other kind of file.
void check_wav_is_whole(const InputFile& file);

}  // namespace flowqat::io

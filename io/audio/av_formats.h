/// Which of the containers that libavformat knows are recordings.
#pragma once
#include <string>

#include "io/audio/ffmpeg.h"
#include "io/files/input_file.h"

namespace flowqat::io {

/// The demuxer for a file, by its first bytes (formats without a header of their own, such as raw
/// G.722, also by its name). Only what holds recordings is recognised: no game music, tracker
/// modules, scripts, playlists, pictures or devices, which can be hours of sound in a few bytes or
/// lead elsewhere, and no raw samples, whose rate nobody states. Throws Error for anything else.
const AVInputFormat* recognise_recording(const InputFile& file);

/// The names of the demuxers and the audio decoders that may be used, in the form of libavformat's
/// options "format_whitelist" and "codec_whitelist".
const std::string& allowed_formats();
const std::string& allowed_decoders();

}  // namespace flowqat::io

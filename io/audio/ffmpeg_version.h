#pragma once
#include <string>

namespace flowqat::io {

/// The version of the FFmpeg that the program runs with: "5.1.6-0+deb12u1".
std::string ffmpeg_version();

}  // namespace flowqat::io

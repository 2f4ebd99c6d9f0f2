/// Audio in any container and codec that FFmpeg knows, through libavformat.
#pragma once
#include <filesystem>

#include "io/audio_file.h"
#include "io/ffmpeg.h"

namespace flowqat::io {

/// Rate, channels and samples of the file's best audio stream; counted by decoding unless the
/// container states the samples of a PCM stream exactly. Throws Error for a file that FFmpeg does
/// not recognise, that holds no audio, or is broken.
AudioInfo read_av_info(const std::filesystem::path& path);

/// Decodes every frame of the file's best audio stream. Throws Error at the first broken packet.
void decode_av(const std::filesystem::path& path, const FrameHandler& handle);

}  // namespace flowqat::io

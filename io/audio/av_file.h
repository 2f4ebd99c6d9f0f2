/// Audio in any container and codec that FFmpeg knows, through libavformat.
#pragma once
#include "io/audio/audio_file.h"
#include "io/audio/ffmpeg.h"
#include "io/files/input_file.h"

namespace flowqat::io {

/// Rate, channels and samples of the file's best audio stream; counted by decoding unless the
/// container states the samples of a PCM stream exactly. Throws Error for a file that FFmpeg does
/// not recognise, that holds no audio, or is broken.
AudioInfo read_av_info(const InputFile& file);

/// Whether decode_av_part() goes straight to a segment: PCM of which the container states the
/// samples, and whose packets lie where they should.
bool can_seek_av(const InputFile& file);

/// Decodes every frame of the file's best audio stream. Throws Error at the first broken packet.
void decode_av(const InputFile& file, const FrameHandler& handle);

/// Decodes the frames that hold `samples` samples from `first_sample` on, and perhaps some before
/// them. PCM is sought where that is exact; anything else is decoded from its beginning, because
/// compressed formats state no exact positions.
void decode_av_part(const InputFile& file, int64_t first_sample, int64_t samples,
                    const PartHandler& handle);

}  // namespace flowqat::io

#include "io/audio/ffmpeg_version.h"

extern "C" {
#include <libavutil/avutil.h>
}

namespace flowqat::io {

std::string ffmpeg_version() { return av_version_info(); }

}  // namespace flowqat::io

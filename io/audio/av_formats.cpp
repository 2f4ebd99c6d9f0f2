#include "io/audio/av_formats.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "io/audio/av_input.h"
#include "io/files/error.h"

namespace flowqat::io {
namespace {

constexpr std::array recordings = std::to_array<std::string_view>(
    {// samples behind a header
     "wav", "w64", "aiff", "caf", "au", "nistsphere", "voc", "sox", "ircam", "pvf", "wve", "dsf",
     // one compressed stream
     "mp3", "aac", "loas", "ac3", "eac3", "dts", "dtshd", "truehd", "mlp", "flac", "ogg", "ape",
     "wv", "tta", "tak", "mpc", "mpc8", "shn", "oma", "aea", "xwma", "sbc",
     // telephones and dictation machines
     "amr", "amrnb", "amrwb", "gsm", "g722", "g723_1", "g729", "bit", "ilbc", "sln", "qcp", "dss",
     "act",
     // sound beside pictures
     "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "asf", "flv", "mpeg", "mpegts", "rm", "mxf",
     "nut", "dv"});

std::string joined(std::string list, std::string_view name) {
  if (!list.empty()) list += ',';
  return list.append(name);
}

}  // namespace

const std::string& allowed_formats() {
  static const std::string list = [] {
    std::string names;
    for (const std::string_view name : recordings) names = joined(names, name);
    return names;
  }();
  return list;
}

const std::string& allowed_decoders() {
  static const std::string list = [] {
    std::string names;
    void* state = nullptr;
    while (const AVCodec* codec = av_codec_iterate(&state)) {
      if (av_codec_is_decoder(codec) && codec->type == AVMEDIA_TYPE_AUDIO) {
        names = joined(names, codec->name);
      }
    }
    return names;
  }();
  return list;
}

const AVInputFormat* recognise_recording(const InputFile& file) {
  keep_ffmpeg_messages();
  AvInput input(file, {.patches = {}, .end_bytes = file.size_bytes()});
  const AVInputFormat* format = nullptr;
  const int score =
      av_probe_input_buffer2(input.context(), &format, file.path().c_str(), nullptr, 0, 0);
  if (score < 0 || format == nullptr) {
    throw Error(file.path(), "expected an audio file, found nothing that FFmpeg recognises: " +
                                 av_error_text(score, input.failure()));
  }
  if (std::count(recordings.begin(), recordings.end(), std::string_view(format->name)) == 0) {
    const std::string name = format->long_name ? format->long_name : format->name;
    throw Error(file.path(), "expected a recording, found what FFmpeg takes for \"" + name +
                                 "\", which is none of the formats that are read; if it is a "
                                 "recording, convert it to FLAC");
  }
  return format;
}

}  // namespace flowqat::io

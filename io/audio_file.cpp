#include "io/audio_file.h"

#include <optional>

#include "io/av_file.h"
#include "io/error.h"
#include "io/flac_file.h"
#include "io/mono.h"
#include "io/wav_file.h"

namespace flowqat::io {
namespace {

std::string text_of(int rate_hz, int channels) {
  return std::to_string(rate_hz) + " Hz with " + std::to_string(channels) + " channel(s)";
}

/// Averages frames into the caller's memory and refuses whatever the header did not promise.
class MonoWriter {
 public:
  MonoWriter(const std::filesystem::path& path, const AudioInfo& expected, std::span<float> mono)
      : path_(path), expected_(expected), mono_(mono) {}

  void add(const AVFrame& frame) {
    const int channels = frame.ch_layout.nb_channels;
    if (frame.sample_rate != expected_.rate_hz || channels != expected_.channels) {
      throw Error(path_, "expected " + text_of(expected_.rate_hz, expected_.channels) + ", found " +
                             text_of(frame.sample_rate, channels) + " behind sample " +
                             std::to_string(done_));
    }
    if (frame.nb_samples > expected_.samples - done_)
      fail_count(done_ + frame.nb_samples, "at least ");
    if (!average_channels(frame, mono_.data() + done_)) {
      const char* name = av_get_sample_fmt_name(static_cast<AVSampleFormat>(frame.format));
      throw Error(path_, std::string("samples of type ") + (name ? name : "unknown") +
                             " are not supported; convert the file to 16- or 24-bit FLAC");
    }
    done_ += frame.nb_samples;
  }

  void finish() const {
    if (done_ != expected_.samples) fail_count(done_, "");
  }

 private:
  [[noreturn]] void fail_count(int64_t samples, const std::string& qualifier) const {
    throw Error(path_, "decoded " + qualifier + std::to_string(samples) +
                           " samples, the header promises " + std::to_string(expected_.samples) +
                           "; the file is damaged or was changed, copy it again from its source");
  }

  const std::filesystem::path& path_;
  const AudioInfo& expected_;
  std::span<float> mono_;
  int64_t done_ = 0;
};

bool fits_one_packet(const InputFile& file) { return file.size_bytes() < flac_packet_limit_bytes; }

/// A FLAC that was written to a pipe does not know how long it became.
AudioInfo count_samples(const InputFile& file, const FlacHeader& header) {
  AudioInfo info = header.info;
  decode_flac(file, header, [&info](const AVFrame& frame) { info.samples += frame.nb_samples; });
  if (info.samples == 0) throw Error(file.path(), "holds no audio frame");
  return info;
}

}  // namespace

AudioInfo read_audio_info(const AudioPlace& place) {
  const InputFile file(place.path, place.first_byte, place.bytes);
  const auto flac = read_flac_header(file);
  if (flac && flac->info.samples > 0) return flac->info;
  if (flac && fits_one_packet(file)) return count_samples(file, *flac);
  check_wav_is_whole(file);
  return read_av_info(place.path);
}

void decode_audio(const AudioPlace& place, const AudioInfo& expected, std::span<float> mono) {
  if (static_cast<int64_t>(mono.size()) != expected.samples) {
    throw Error(place.path, "room for " + std::to_string(mono.size()) +
                                " samples was given to decode " + std::to_string(expected.samples));
  }
  const InputFile file(place.path, place.first_byte, place.bytes);
  const auto flac = read_flac_header(file);
  MonoWriter writer(place.path, expected, mono);
  const auto add = [&writer](const AVFrame& frame) { writer.add(frame); };
  if (flac && fits_one_packet(file)) {
    decode_flac(file, *flac, add);
  } else {
    decode_av(place.path, add);
  }
  writer.finish();
}

}  // namespace flowqat::io

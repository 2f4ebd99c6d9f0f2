#include "io/audio_file.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "io/av_file.h"
#include "io/error.h"
#include "io/flac_file.h"
#include "io/flac_md5.h"
#include "io/mono.h"
#include "io/wav_file.h"

namespace flowqat::io {
namespace {

std::string text_of(int rate_hz, int channels) {
  return std::to_string(rate_hz) + " Hz with " + std::to_string(channels) + " channel(s)";
}

/// Averages the frames of a place into the caller's memory and refuses whatever the header did not
/// promise.
class MonoWriter {
 public:
  MonoWriter(const AudioPlace& place, const AudioInfo& expected, std::span<float> mono)
      : place_(place), expected_(expected), mono_(mono) {}

  /// The next frame of a whole recording.
  void add(const AVFrame& frame) {
    check_format(frame);
    if (frame.nb_samples > expected_.samples - done_)
      fail_count(done_ + frame.nb_samples, "at least ");
    average(frame, mono_.data() + done_);
    done_ += frame.nb_samples;
  }

  /// A frame that begins at sample `position` of a recording of which a segment is wanted.
  void add_part(const AVFrame& frame, int64_t position) {
    check_format(frame);
    const int64_t from = std::max<int64_t>(*place_.first_sample - position, 0);
    const int64_t count = std::min(frame.nb_samples - from, expected_.samples - done_);
    if (count <= 0) return;
    part_.resize(static_cast<size_t>(frame.nb_samples));
    average(frame, part_.data());
    std::copy_n(part_.begin() + from, count, mono_.begin() + done_);
    done_ += count;
  }

  void finish() const {
    if (done_ != expected_.samples) fail_count(done_, "");
  }

 private:
  void check_format(const AVFrame& frame) const {
    const int channels = frame.ch_layout.nb_channels;
    if (frame.sample_rate != expected_.rate_hz || channels != expected_.channels) {
      throw Error(place_.path, "expected " + text_of(expected_.rate_hz, expected_.channels) +
                                   ", found " + text_of(frame.sample_rate, channels) +
                                   " behind sample " + std::to_string(done_));
    }
  }

  void average(const AVFrame& frame, float* out) const {
    if (average_channels(frame, out)) return;
    const char* name = av_get_sample_fmt_name(static_cast<AVSampleFormat>(frame.format));
    throw Error(place_.path, std::string("samples of type ") + (name ? name : "unknown") +
                                 " are not supported; convert the file to 16- or 24-bit FLAC");
  }

  [[noreturn]] void fail_count(int64_t samples, const std::string& qualifier) const {
    throw Error(place_.path,
                "decoded " + qualifier + std::to_string(samples) + " samples, " +
                    (place_.first_sample ? "the segment from sample " +
                                               std::to_string(*place_.first_sample) + " has "
                                         : "the header promises ") +
                    std::to_string(expected_.samples) +
                    "; the file is damaged or was changed, copy it again from its source");
  }

  const AudioPlace& place_;
  const AudioInfo& expected_;
  std::span<float> mono_;
  std::vector<float> part_;
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
  return read_av_info(file);
}

void decode_audio(const AudioPlace& place, const AudioInfo& expected, std::span<float> mono,
                  bool verify_md5) {
  if (static_cast<int64_t>(mono.size()) != expected.samples) {
    throw Error(place.path, "room for " + std::to_string(mono.size()) +
                                " samples was given to decode " + std::to_string(expected.samples));
  }
  const InputFile file(place.path, place.first_byte, place.bytes);
  const auto flac = read_flac_header(file);
  MonoWriter writer(place, expected, mono);
  if (place.first_sample) {
    const auto add = [&](const AVFrame& frame, int64_t at) { writer.add_part(frame, at); };
    if (flac) {
      decode_flac_part(file, *flac, *place.first_sample, expected.samples, add);
    } else {
      decode_av_part(file, *place.first_sample, expected.samples, add);
    }
  } else if (flac && fits_one_packet(file)) {
    std::optional<FlacMd5> md5;
    if (verify_md5) md5.emplace(*flac);
    decode_flac(file, *flac, [&](const AVFrame& frame) {
      writer.add(frame);
      if (md5) md5->add(frame);
    });
    if (md5) md5->check(place.path);
  } else {
    decode_av(file, [&](const AVFrame& frame) { writer.add(frame); });
  }
  writer.finish();
}

}  // namespace flowqat::io

#include "io/audio/audio_file.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <vector>

#include "base/foreign.h"
#include "io/audio/av_file.h"
#include "io/audio/flac/file.h"
#include "io/audio/flac/md5.h"
#include "io/audio/mono.h"
#include "io/files/error.h"

namespace flowqat::io {
namespace {

std::string text_of(int rate_hz, int channels) {
  return std::to_string(rate_hz) + " Hz with " + std::to_string(channels) + " channel(s)";
}

/// Writes the frames of a place into the caller's memory and refuses whatever the header did not
/// promise, and what is no sound.
class MonoWriter {
 public:
  MonoWriter(const AudioPlace& place, const AudioInfo& expected, std::span<float> mono)
      : place_(place), expected_(expected), mono_(mono), mixer_(place.channel) {
    if (place.channel && (*place.channel < 0 || *place.channel >= expected.channels)) {
      throw Error(place.path, "channel " + std::to_string(*place.channel) +
                                  " was asked for, and it has " +
                                  std::to_string(expected.channels) + ", counted from 0");
    }
  }

  void check_format(int rate_hz, int channels) const {
    if (rate_hz != expected_.rate_hz || channels != expected_.channels) {
      throw Error(place_.path, "expected " + text_of(expected_.rate_hz, expected_.channels) +
                                   ", found " + text_of(rate_hz, channels) + " behind sample " +
                                   std::to_string(done_));
    }
  }

  /// The next frame of a whole recording.
  template <class Frame>
  void add(const Frame& frame) {
    check_next(frame);
    write(frame, 0, samples_of(frame), mono_.data() + done_);
  }

  /// The same, but handed back; valid until the next call.
  template <class Frame>
  std::span<const float> block(const Frame& frame) {
    check_next(frame);
    block_.resize(static_cast<size_t>(samples_of(frame)));
    write(frame, 0, samples_of(frame), block_.data());
    return block_;
  }

  /// A frame that begins at sample `position` of a recording of which a segment is wanted.
  template <class Frame>
  void add_part(const Frame& frame, int64_t position) {
    check_format(frame);
    const int64_t from = std::max<int64_t>(*place_.first_sample - position, 0);
    const int64_t count = std::min(samples_of(frame) - from, expected_.samples - done_);
    if (count > 0) write(frame, from, count, mono_.data() + done_);
  }

  bool has_wrapped() const { return has_wrapped_; }

  void finish() const {
    if (done_ != expected_.samples) fail_count(done_, "");
    if (mixer_.has_cancelled()) {
      throw Error(place_.path, "its " + std::to_string(expected_.channels) +
                                   " channels cancel each other: their average is next to "
                                   "silence; choose one of them, counted from 0: \"channel\" of a "
                                   "decode node, --channel of a command");
    }
  }

 private:
  static int64_t samples_of(const AVFrame& frame) { return frame.nb_samples; }
  static int64_t samples_of(const FlacBlock& block) { return block.samples(); }

  template <class Frame>
  void check_next(const Frame& frame) const {
    check_format(frame);
    if (samples_of(frame) > expected_.samples - done_) {
      fail_count(done_ + samples_of(frame), "at least ");
    }
  }

  void check_format(const AVFrame& frame) const {
    check_format(frame.sample_rate, frame.ch_layout.nb_channels);
  }
  /// Every frame of a FLAC file is of its header's format, or broken.
  void check_format(const FlacBlock&) const {}

  void write(const AVFrame& frame, int64_t from, int64_t count, float* out) {
    if (!mixer_.mix(frame, from, count, out)) {
      const char* name = av_get_sample_fmt_name(static_cast<AVSampleFormat>(frame.format));
      throw Error(place_.path, std::string("samples of type ") + (name ? name : "unknown") +
                                   " are not supported; convert the file to 16- or 24-bit FLAC");
    }
    check_numbers({out, static_cast<size_t>(count)});
    done_ += count;
  }
  void write(const FlacBlock& block, int64_t from, int64_t count, float* out) {
    mixer_.mix(block, from, count, out);
    has_wrapped_ |= block.has_wrapped();
    done_ += count;
  }

  /// Files of floating-point samples may hold anything, and one such sample makes all of an
  /// utterance's.
  void check_numbers(std::span<const float> samples) const {
    constexpr float most = 0x1p40F;  // no format's integers are larger, should they be meant
    const auto is_sound = [](float sample) { return std::abs(sample) <= most; };
    bool all_sound = true;  // without a branch: frames are checked whole
    for (const float sample : samples) all_sound &= is_sound(sample);
    if (all_sound) return;
    const auto wrong = std::find_if_not(samples.begin(), samples.end(), is_sound);
    const int64_t number = place_.first_sample.value_or(0) + done_ + (wrong - samples.begin());
    char value[32];
    std::snprintf(value, sizeof value, "%g", static_cast<double>(std::abs(*wrong)));
    throw Error(place_.path, "sample " + std::to_string(number) + ", counted from 0, is " +
                                 (std::isnan(*wrong) ? "not a number (NaN)" : value) +
                                 ", expected about -1 to 1; make the file again from its source");
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
  MonoMixer mixer_;
  std::vector<float> block_;
  int64_t done_ = 0;
  bool has_wrapped_ = false;
};

/// A FLAC that was written to a pipe does not know how long it became.
AudioInfo info_of(const FlacHeader& header) {
  return {header.samples, header.rate_hz, header.channels};
}

/// Counts by decoding.
AudioInfo count_samples(const InputFile& file, const FlacHeader& header) {
  AudioInfo info = info_of(header);
  info.samples = 0;
  decode_flac(file, header,
              [&info](const FlacBlock& block, int64_t) { info.samples += block.samples(); });
  return info;
}

/// What the header promises, where the file can hold it. Digital silence alone takes less than a
/// bit a sample: such a promise is believed when the samples have been counted.
AudioInfo flac_info(const InputFile& file, const FlacHeader& header) {
  const bool is_known = header.samples > 0;
  if (is_known && header.samples <= 8 * file.size_bytes() / header.channels) return info_of(header);
  const AudioInfo info = count_samples(file, header);
  if (is_known && info.samples != header.samples) {
    throw Error(file.path(), "the header promises " + std::to_string(header.samples) +
                                 " samples, the file holds " + std::to_string(info.samples) +
                                 "; it is cut off or damaged, copy it again from its source");
  }
  if (info.samples == 0) throw Error(file.path(), "holds no audio frame");
  return info;
}

void decode_from_flac(const InputFile& file, const FlacHeader& header, const AudioPlace& place,
                      const AudioInfo& expected, MonoWriter& writer, bool verify_md5) {
  if (place.first_sample) {
    return decode_flac_part(
        file, header, *place.first_sample, expected.samples,
        [&](const FlacBlock& block, int64_t position) { writer.add_part(block, position); });
  }
  std::optional<FlacMd5> md5;
  if (verify_md5) md5.emplace(header);
  decode_flac(file, header, [&](const FlacBlock& block, int64_t) {
    writer.add(block);
    if (md5) md5->add(block);
  });
  if (writer.has_wrapped() && !md5) {  // rare enough to be sure of it by decoding once more
    md5.emplace(header);
    decode_flac(file, header, [&](const FlacBlock& block, int64_t) { md5->add(block); });
  }
  if (md5) md5->check(place.path);
}

AudioInfo read_info(const InputFile& file) {
  if (const auto flac = read_flac_header(file)) {
    return flac_info(file, *flac);
  }
  return read_av_info(file);
}

}  // namespace

AudioInfo read_audio_info(const AudioPlace& place) {
  const InputFile file(place.path, place.first_byte, place.bytes);
  try {
    return read_info(file);
  } catch (const Error&) {
    std::string head(foreign_head_bytes, '\0');
    head.resize(file.read(0, {reinterpret_cast<uint8_t*>(head.data()), head.size()}));
    const std::string what = foreign_content(head);
    if (!what.empty()) throw Error(place.path, "holds no audio: " + what);
    throw;
  }
}

bool segments_are_quick(const AudioPlace& place) {
  const InputFile file(place.path, place.first_byte, place.bytes);
  const auto flac = read_flac_header(file);
  return flac ? flac_parts_are_quick(file, *flac) : can_seek_av(file);
}

Decoded decode_audio(const AudioPlace& place, const AudioInfo& expected, std::span<float> mono,
                     bool verify_md5) {
  if (static_cast<int64_t>(mono.size()) != expected.samples) {
    throw Error(place.path, "room for " + std::to_string(mono.size()) +
                                " samples was given to decode " + std::to_string(expected.samples));
  }
  const InputFile file(place.path, place.first_byte, place.bytes);
  MonoWriter writer(place, expected, mono);
  if (const auto flac = read_flac_header(file)) {
    writer.check_format(flac->rate_hz, flac->channels);
    decode_from_flac(file, *flac, place, expected, writer, verify_md5);
  } else if (place.first_sample) {
    decode_av_part(file, *place.first_sample, expected.samples,
                   [&](const AVFrame& frame, int64_t at) { writer.add_part(frame, at); });
  } else {
    decode_av(file, [&](const AVFrame& frame) { writer.add(frame); });
  }
  writer.finish();
  return {.has_wrapped = writer.has_wrapped()};
}

void decode_audio(const AudioPlace& place, const AudioInfo& expected,
                  const std::function<void(std::span<const float>)>& handle) {
  const InputFile file(place.path, place.first_byte, place.bytes);
  MonoWriter writer(place, expected, {});
  if (const auto flac = read_flac_header(file)) {
    writer.check_format(flac->rate_hz, flac->channels);
    decode_flac(file, *flac, [&](const FlacBlock& block, int64_t) { handle(writer.block(block)); });
  } else {
    decode_av(file, [&](const AVFrame& frame) { handle(writer.block(frame)); });
  }
  writer.finish();
}

}  // namespace flowqat::io

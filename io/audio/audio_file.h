/// What an audio file holds, and its samples as mono floats. FLAC has a decoder of our own
/// (flac/file.h), everything else goes through libavformat (av_file.h); which one is decided by the
/// file's first bytes, never by its name.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>

namespace flowqat::io {

struct AudioInfo {
  int64_t samples = 0;  ///< of one channel
  int rate_hz = 0;
  int channels = 0;
  bool operator==(const AudioInfo&) const = default;
};

/// Where an utterance's audio lies: in a file of its own, or in a part of one.
struct AudioPlace {
  AudioPlace() = default;
  AudioPlace(std::filesystem::path file) : path(std::move(file)) {}  // NOLINT: a path is a place

  std::filesystem::path path;
  /// Of a file that lies inside another (an uncompressed archive); 0 bytes: `path` itself.
  int64_t first_byte = 0, bytes = 0;
  /// Where a segment of a longer recording begins; none: the whole recording.
  std::optional<int64_t> first_sample = std::nullopt;
  /// The one channel that is heard, counted from 0; none: the average of all.
  std::optional<int> channel = std::nullopt;
  bool operator==(const AudioPlace&) const = default;
};

/// Reads the header. For FLAC this is one small read (STREAMINFO); a file whose header does not
/// state the exact number of samples is counted by decoding it. Of a segment's place, this is the
/// whole recording. Throws Error for a file that is
/// missing, empty, not a regular file, holds no audio, or (where it must be decoded) is broken.
/// Thread-safe.
AudioInfo read_audio_info(const AudioPlace& place);

/// Whether of a segment only what holds it is read and decoded: of FLAC and PCM whose own account
/// of where samples lie can be believed. Throws Error as read_audio_info() does. Thread-safe.
bool segments_are_quick(const AudioPlace& place);

/// What a caller may want to know of audio that is sound.
struct Decoded {
  /// FLAC samples came out of more bits than the header states, and were wrapped into these.
  bool has_wrapped = false;
};

/// Decodes the place's audio into `mono`, which holds `expected.samples` floats, in [-1, 1] where
/// they were integers. Integer samples of b bits become x / 2^(b-1) exactly (up to 24 bits);
/// channels are averaged, or one of them is taken (AudioPlace::channel).
/// Throws Error when rate, channels or the number of samples differ from `expected` (as
/// read_audio_info returned it), and when any frame is broken: the checksums of FLAC frames are
/// verified, so damaged audio is never returned as audio. Throws Error too for samples that are no
/// number or beyond all measure, for a channel that is not there, and where the channels cancel
/// each other in their average. After an Error, `mono` is unspecified.
/// Of a segment (AudioPlace::first_sample) only what holds it is read and decoded where
/// segments_are_quick(); the result is the same as cutting it out of the whole recording.
/// FLAC samples that come out of more bits than the header states are wrapped around into these, as
/// libavcodec does: some encoders wrapped the other way. Of a whole file that has such samples and
/// states its MD5, that is verified.
/// `verify_md5`: the samples of a whole FLAC file, as they are handed on, are compared with the MD5
/// in its header too, where it states one; Error when they differ. Thread-safe; the result depends
/// on the file alone.
Decoded decode_audio(const AudioPlace& place, const AudioInfo& expected, std::span<float> mono,
                     bool verify_md5 = false);

/// The same for a whole recording, handed on block by block: for what need not fit into memory.
void decode_audio(const AudioPlace& place, const AudioInfo& expected,
                  const std::function<void(std::span<const float>)>& handle);

}  // namespace flowqat::io

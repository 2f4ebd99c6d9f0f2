/// Decoded frames to mono floats.
#pragma once
#include <cstdint>
#include <optional>

#include "io/audio/ffmpeg.h"
#include "io/audio/flac/block.h"

namespace flowqat::io {

/// Averages the channels of a recording, or picks one of them, and watches whether they cancel each
/// other. Integers of b bits become x / 2^(b-1) (unsigned 8 bits: (x - 128) / 128).
class MonoMixer {
 public:
  /// The channel that is heard, from 0 on; none: the average of all.
  explicit MonoMixer(std::optional<int> channel = std::nullopt) : channel_(channel) {}

  /// Writes `samples` of the frame's samples, from number `first` on, to `out`. False for a sample
  /// format that it does not know. The frame has the channel that was asked for.
  bool mix(const AVFrame& frame, int64_t first, int64_t samples, float* out);
  bool mix(const FlacBlock& block, int64_t first, int64_t samples, float* out);

  /// Whether next to nothing is left of several channels in their average: less than a hundredth of
  /// the power that it would have if they had nothing to do with one another.
  bool has_cancelled() const;

 private:
  template <class T>
  void mix_frame(const AVFrame& frame, bool planar, int64_t first, int64_t samples, float* out);

  std::optional<int> channel_;
  int channels_ = 1;
  int64_t samples_ = 0;
  double channels_energy_ = 0;  ///< sum of the squares of all samples of all channels
  double mono_energy_ = 0;      ///< of their average
};

}  // namespace flowqat::io

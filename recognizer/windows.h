/// Long recordings in overlapping windows, each recognised by itself, whose frames join without a
/// seam: what transformers' speech recognition pipeline does with chunk_length_s and
/// stride_length_s.
#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "model/config.h"

namespace flowqat::recognizer {

/// In frames of the model, so that the frames of all windows lie on one grid.
struct WindowShape {
  int64_t window_frames = 0;  ///< longer recordings are parted; 0: none is
  /// What is dropped on either side of a seam, where the other window has heard what comes next:
  /// half of what two windows share.
  int64_t edge_frames = 0;
  int64_t frame_samples = 320;  ///< of the model's audio
  int rate_hz = 16000;          ///< of the model's audio
};

/// The same as people say it.
struct WindowTimes {
  double window_s = 40;  ///< longer recordings are parted; 0: none is
  double overlap_s = 4;  ///< what two windows share
};

/// Of a model that hears `rate_hz`. Throws std::invalid_argument for an overlap that leaves frames
/// out, or as long as the window: "must be from 0.08 to less than ...".
WindowShape window_shape(const model::Config& config, int rate_hz, const WindowTimes& times);

/// When a frame of a recording begins.
inline double frame_s(const WindowShape& shape, int64_t frame) {
  return static_cast<double>(frame * shape.frame_samples) / shape.rate_hz;
}

struct Window {
  int64_t first_sample = 0, samples = 0;  ///< of the recording, at its own rate
  /// The window's own frames that count: from `begin_frame`, and before `end_frame` or its last.
  int64_t begin_frame = 0, end_frame = std::numeric_limits<int64_t>::max();
};

/// The windows of a recording of `samples` at `rate_hz` in order, one if it is not too long. Every
/// frame of the recording counts in one window. At a rate at which a frame is no whole number of
/// samples, windows are shorter than asked for (or, if that leaves nothing, longer) by up to a
/// second.
std::vector<Window> windows_of(int64_t samples, int rate_hz, const WindowShape& shape);

}  // namespace flowqat::recognizer

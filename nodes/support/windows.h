/// Long recordings in overlapping windows, each recognised by itself, whose frames join without a
/// seam: what transformers' speech recognition pipeline does with chunk_length_s and
/// stride_length_s.
#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include "graph/message.h"

namespace flowqat::nodes {

/// In frames of the model, so that the frames of all windows lie on one grid.
struct WindowShape {
  int64_t window_frames = 0;  ///< longer recordings are parted; 0: none is
  /// What is dropped on either side of a seam, where the other window has heard what comes next:
  /// half of what two windows share.
  int64_t edge_frames = 0;
  int64_t frame_samples = 320;  ///< of the model's audio
  int rate_hz = 16000;          ///< of the model's audio
};

struct Window {
  int64_t first_sample = 0, samples = 0;  ///< of the recording, at its own rate
  /// The window's own frames that count: from `begin_frame`, and before `end_frame` or its last.
  int64_t begin_frame = 0, end_frame = std::numeric_limits<int64_t>::max();
};

/// The windows of a recording in order, one if it is not too long. Every frame of the recording
/// counts in one window. At a rate at which a frame is no whole number of samples, windows are
/// shorter than asked for (or, if that leaves nothing, longer) by up to a second.
std::vector<Window> windows_of(const graph::Shape& recording, const WindowShape& shape);

}  // namespace flowqat::nodes

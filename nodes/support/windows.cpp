#include "nodes/support/windows.h"

#include <algorithm>
#include <numeric>

namespace flowqat::nodes {

std::vector<Window> windows_of(const graph::Shape& recording, const WindowShape& shape) {
  // A frame is scaled_frame / shape.rate_hz samples of the recording.
  const int64_t scaled_frame = shape.frame_samples * recording.rate_hz;
  const auto samples_of = [&](int64_t frames) { return frames * scaled_frame / shape.rate_hz; };
  if (shape.window_frames == 0 || recording.samples <= samples_of(shape.window_frames)) {
    return {{.first_sample = 0, .samples = recording.samples}};
  }
  // Windows begin where a frame and a sample of the recording coincide.
  const int64_t grid_frames = shape.rate_hz / std::gcd(int64_t{shape.rate_hz}, scaled_frame);
  const int64_t wanted_frames = shape.window_frames - 2 * shape.edge_frames;
  const int64_t step_frames = std::max(wanted_frames / grid_frames, int64_t{1}) * grid_frames;
  const int64_t window_samples = samples_of(step_frames + 2 * shape.edge_frames);
  std::vector<Window> windows;
  for (int64_t first = 0;; first += samples_of(step_frames)) {
    Window& window = windows.emplace_back();
    window.first_sample = first;
    window.samples = std::min(window_samples, recording.samples - first);
    if (first > 0) window.begin_frame = shape.edge_frames;
    if (first + window_samples >= recording.samples) return windows;
    window.end_frame = step_frames + shape.edge_frames;
  }
}

}  // namespace flowqat::nodes

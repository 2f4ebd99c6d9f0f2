#include "recognizer/windows.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <stdexcept>

namespace flowqat::recognizer {

WindowShape window_shape(const model::Config& config, int rate_hz, const WindowTimes& times) {
  WindowShape shape{.rate_hz = rate_hz};
  shape.frame_samples = 1;
  for (const int64_t stride : config.conv_stride) shape.frame_samples *= stride;
  const auto frames = [&](double duration_s) {
    return std::llround(duration_s * shape.rate_hz / static_cast<double>(shape.frame_samples));
  };
  shape.window_frames = frames(times.window_s);
  shape.edge_frames = frames(times.overlap_s / 2);
  if (shape.window_frames == 0) return shape;
  // A window's last frames would hear beyond its end, so it has fewer than there is room for.
  const int64_t missing =
      shape.window_frames - frames_of(config, shape.window_frames * shape.frame_samples);
  if (shape.edge_frames < missing || shape.window_frames <= 2 * shape.edge_frames) {
    char text[200];
    std::snprintf(text, sizeof text, "must be from %g to less than %g, the window's, found %g",
                  2 * frame_s(shape, missing), times.window_s, times.overlap_s);
    throw std::invalid_argument(text);
  }
  return shape;
}

std::vector<Window> windows_of(int64_t samples, int rate_hz, const WindowShape& shape) {
  // A frame is scaled_frame / shape.rate_hz samples of the recording.
  const int64_t scaled_frame = shape.frame_samples * rate_hz;
  const auto samples_of = [&](int64_t frames) { return frames * scaled_frame / shape.rate_hz; };
  if (shape.window_frames == 0 || samples <= samples_of(shape.window_frames)) {
    return {{.first_sample = 0, .samples = samples}};
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
    window.samples = std::min(window_samples, samples - first);
    if (first > 0) window.begin_frame = shape.edge_frames;
    if (first + window_samples >= samples) return windows;
    window.end_frame = step_frames + shape.edge_frames;
  }
}

}  // namespace flowqat::recognizer

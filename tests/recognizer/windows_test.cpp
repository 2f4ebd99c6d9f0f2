#include "recognizer/windows.h"

#include <cmath>

#include "tests/catch.h"

using namespace flowqat;
using recognizer::Window;
using recognizer::windows_of;
using recognizer::WindowShape;

namespace {

constexpr int64_t kReceptiveSamples = 400;  // of wav2vec2's convolutions

int64_t frames_of(int64_t samples) {
  return samples < kReceptiveSamples ? 0 : (samples - kReceptiveSamples) / 320 + 1;
}

/// Where each window's counting frames lie in the recording: they follow one another.
void check_frames_join(int64_t samples, int rate_hz, const WindowShape& shape) {
  INFO(samples << " samples at " << rate_hz << " Hz");
  const double ratio = 16000.0 / rate_hz;
  int64_t next_frame = 0, next_sample = 0;
  for (const Window& window : windows_of(samples, rate_hz, shape)) {
    const double begin = static_cast<double>(window.first_sample) * ratio;
    REQUIRE(begin == Approx(std::round(begin)));
    REQUIRE(std::llround(begin) % 320 == 0);
    CHECK(std::llround(begin) / 320 + window.begin_frame == next_frame);
    CHECK(window.first_sample <= next_sample);
    const int64_t frames = frames_of(std::llround(static_cast<double>(window.samples) * ratio));
    CHECK((window.end_frame <= frames || window.end_frame > 1'000'000'000));
    next_frame += std::min(window.end_frame, frames) - window.begin_frame;
    next_sample = window.first_sample + window.samples;
  }
  CHECK(next_sample == samples);
  CHECK(next_frame == frames_of(std::llround(static_cast<double>(samples) * ratio)));
}

}  // namespace

TEST_CASE("a recording that fits is one window, and all of it counts") {
  const WindowShape shape{.window_frames = 50, .edge_frames = 5};
  for (const int64_t samples : {1, 320, 16000}) {
    const auto windows = windows_of(samples, 16000, shape);
    REQUIRE(windows.size() == 1);
    CHECK(windows[0].samples == samples);
    CHECK(windows[0].begin_frame == 0);
  }
  CHECK(windows_of(10'000'000, 16000, {.window_frames = 0}).size() == 1);
  CHECK(windows_of(16001, 16000, shape).size() == 2);
}

TEST_CASE("the frames of all windows are those of the recording, once each, at any rate") {
  for (const int rate_hz : {16000, 8000, 11025, 22050, 44100, 48000, 44101}) {
    for (const int64_t edge : {1, 7, 100}) {
      for (const int64_t samples :
           {rate_hz * 9, rate_hz * 10, rate_hz * 10 + 1, rate_hz * 31 + 77, rate_hz * 100 - 1}) {
        check_frames_join(samples, rate_hz, {.window_frames = 250, .edge_frames = edge});
      }
    }
  }
}

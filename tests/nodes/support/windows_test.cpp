#include "nodes/support/windows.h"

#include "tests/catch.h"
#include "tests/corpus.h"
#include "tests/nodes/support.h"
#include "tests/temporary_folder.h"

using namespace flowqat;
using nodes::Window;
using nodes::windows_of;
using nodes::WindowShape;

namespace {

constexpr int64_t kReceptiveSamples = 400;  // of wav2vec2's convolutions

int64_t frames_of(int64_t samples) {
  return samples < kReceptiveSamples ? 0 : (samples - kReceptiveSamples) / 320 + 1;
}

/// Where each window's counting frames lie in the recording: they follow one another.
void check_frames_join(const graph::Shape& recording, const WindowShape& shape) {
  INFO(recording.samples << " samples at " << recording.rate_hz << " Hz");
  const double ratio = 16000.0 / recording.rate_hz;
  int64_t next_frame = 0, next_sample = 0;
  for (const Window& window : windows_of(recording, shape)) {
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
  CHECK(next_sample == recording.samples);
  CHECK(next_frame == frames_of(std::llround(static_cast<double>(recording.samples) * ratio)));
}

}  // namespace

TEST_CASE("a recording that fits is one window, and all of it counts") {
  const WindowShape shape{.window_frames = 50, .edge_frames = 5};
  for (const int64_t samples : {1, 320, 16000}) {
    const auto windows = windows_of({samples, 16000}, shape);
    REQUIRE(windows.size() == 1);
    CHECK(windows[0].samples == samples);
    CHECK(windows[0].begin_frame == 0);
  }
  CHECK(windows_of({10'000'000, 16000}, {.window_frames = 0}).size() == 1);
  CHECK(windows_of({16001, 16000}, shape).size() == 2);
}

TEST_CASE("the frames of all windows are those of the recording, once each, at any rate") {
  for (const int rate_hz : {16000, 8000, 11025, 22050, 44100, 48000, 44101}) {
    for (const int64_t edge : {1, 7, 100}) {
      for (const int64_t samples :
           {rate_hz * 9, rate_hz * 10, rate_hz * 10 + 1, rate_hz * 31 + 77, rate_hz * 100 - 1}) {
        check_frames_join({samples, rate_hz}, {.window_frames = 250, .edge_frames = edge});
      }
    }
  }
}

TEST_CASE("files come whole or in windows, which share what edge_frames says") {
  const flowqat::testing::TemporaryFolder folder;
  const auto paths = flowqat::testing::make_corpus(
      folder.path(), {.speakers = 1, .utterances = 2, .shortest_s = 1.0});
  const auto index_of = [&](const std::string& keys) {
    const graph::Graph graph = nodes::testing::make_graph(
        R"({"files": {"type": "files", "paths": [")" + paths[0].string() + R"(", ")" +
        paths[1].string() + "\"]" + keys +
        R"(}, "decode": {"type": "decode", "from": "files"},
            "batch": {"type": "batch", "from": "decode", "size": 1}})");
    return graph::Chain::behind(*graph.batchers().front()).source->read_index(1);
  };
  const graph::Index whole = index_of("");
  REQUIRE(whole.size() == 2);
  CHECK_FALSE(whole[1].first_sample);
  const graph::Index parted = index_of(R"(, "window_frames": 50, "edge_frames": 10)");
  REQUIRE(parted.size() == 3);  // 1.0 s, and 1.1 s in two
  CHECK(parted[1].first_sample == 0);
  CHECK(parted[2].first_sample == 30 * 320);
  CHECK(parted[2].shape.samples == whole[1].shape.samples - 30 * 320);
  CHECK_THROWS_WITH(index_of(R"(, "window_frames": 20, "edge_frames": 10)"),
                    ContainsSubstring("\"window_frames\": must be more than two"));
}

/// FLAC whose frames are numbered in ways of their own: segments lie where counting finds them.
#include <algorithm>

#include "io/audio/audio_file.h"
#include "io/audio/flac/file.h"
#include "tests/io/audio/flac/writer.h"
#include "tests/io/audio/parts.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

constexpr int frames = 120, block_samples = 1000;

/// How a stream's frames are made.
struct Making {
  int64_t first_number = 0;
  bool counts_samples = false;
  bool states_total = true;
  std::vector<int> lengths = std::vector<int>(frames, block_samples);
  std::vector<size_t> order = {};  ///< another than that of the numbers
  bool numbers_of_places = false;  ///< numbers are those of the places, whatever stands there
  int most_samples = block_samples;
};

/// All frames are of different samples, and do not compress, so that the file is long enough for a
/// bisection.
std::filesystem::path make(const std::filesystem::path& path, Making making) {
  const FlacFormat format{.block_samples = making.most_samples};
  std::vector<std::string> parts;
  int64_t total = 0;
  const auto signal = test_signal(frames * 1500, 1);
  for (const int length : making.lengths) {
    Subframe subframe;
    subframe.samples.assign(signal.begin() + total, signal.begin() + total + length);
    const auto frame = static_cast<int64_t>(parts.size());
    const int64_t number = making.first_number + (making.counts_samples ? total : frame);
    parts.push_back(flac_frame(number, making.counts_samples, 0, {subframe}));
    total += length;
  }
  std::string bytes = flac_start(format, making.states_total ? total : 0);
  for (size_t i = 0; i < parts.size(); ++i) {
    bytes += parts[making.order.empty() ? i : making.order[i]];
  }
  write_bytes(path, bytes);
  return path;
}

/// All over the file.
void check_all_parts(const std::filesystem::path& path) {
  const std::vector<float> whole = decode(path);
  const auto total = static_cast<int64_t>(whole.size());
  REQUIRE(total > 100'000);
  for (int64_t first = 1; first + 2500 <= total; first += 1777)
    check_part(path, whole, first, 2500);
}

std::vector<int> uneven_lengths() {
  std::vector<int> lengths;
  for (int i = 0; i < frames; ++i) lengths.push_back(700 + 97 * i % 601);
  return lengths;
}

}  // namespace

TEST_CASE(
    "segments of FLAC that does not begin with its first frame are where counting finds them") {
  const TemporaryFolder folder;
  for (const bool states_total : {true, false}) {
    INFO((states_total ? "with" : "without") << " a total");
    const auto path = make(folder / "a.flac", {.first_number = 4, .states_total = states_total});
    check_all_parts(path);
    CHECK(segments_are_quick(path) == states_total);
    const auto variable = make(folder / "b.flac", {.first_number = 70'001,
                                                   .counts_samples = true,
                                                   .states_total = states_total,
                                                   .lengths = uneven_lengths(),
                                                   .most_samples = 1500});
    check_all_parts(variable);
    CHECK(segments_are_quick(variable) == states_total);
  }
}

TEST_CASE("segments of FLAC whose blocks are shorter than the header's longest") {
  const TemporaryFolder folder;
  const auto path = make(folder / "a.flac", {.most_samples = 4096});
  check_all_parts(path);
  CHECK(segments_are_quick(path));
}

TEST_CASE("FLAC with numbers that say nothing is heard as it stands") {
  const TemporaryFolder folder;
  SECTION("frames of any length, numbered as if they were of one") {
    check_all_parts(make(folder / "a.flac", {.lengths = uneven_lengths(), .most_samples = 1500}));
  }
  SECTION("two streams, one behind the other") {
    std::vector<size_t> order;
    for (size_t i = 0; i < frames; ++i) order.push_back(i < 50 ? i + 70 : i - 50);
    check_all_parts(make(folder / "a.flac", {.order = order}));
  }
  SECTION("no frame has a number but 0") {
    std::string bytes = flac_start({.block_samples = 1000}, frames * 1000);
    for (int i = 0; i < frames; ++i) {
      Subframe subframe;
      subframe.samples.resize(1000);
      for (int64_t& sample : subframe.samples) sample = test_signal(i + 1, 1).back();
      bytes += flac_frame(0, false, 0, {subframe});
    }
    write_bytes(folder / "a.flac", bytes);
    check_all_parts(folder / "a.flac");
  }
}

TEST_CASE("FLAC frames in another order than their numbers are refused, not heard in either") {
  const TemporaryFolder folder;
  std::vector<size_t> order(frames);
  for (size_t i = 0; i < frames; ++i) order[i] = i;
  SECTION("two frames") { std::swap(order[20], order[40]); }
  SECTION("two halves") { std::rotate(order.begin() + 10, order.begin() + 60, order.end() - 10); }
  const auto path = make(folder / "a.flac", {.order = order});
  CHECK_THAT(error_of([&] { decode(path); }),
             ContainsSubstring("a.flac: the FLAC frame at sample") &&
                 ContainsSubstring("belongs elsewhere"));
}

TEST_CASE("segments of FLAC do not ask its seek table") {
  if (!have("flac")) return;
  const TemporaryFolder folder;
  const auto flac = make_flac(folder, 300'000, 1);
  const std::vector<float> whole = decode(flac);
  std::string bytes = read_bytes(flac);
  // The second block of metadata: points of 18 bytes, each a sample, an offset and a length.
  REQUIRE((bytes[42] & 0x7f) == 3);
  const size_t length =
      static_cast<size_t>(static_cast<uint8_t>(bytes[44])) << 8 | static_cast<uint8_t>(bytes[45]);
  REQUIRE(length >= 18);
  for (size_t i = 0; i < length; ++i) bytes[46 + i] = static_cast<char>(i * 37);
  write_bytes(flac, bytes);
  check_all_parts(flac);
  CHECK(decode(flac) == whole);
}

TEST_CASE("segments of what ffmpeg copied out of a FLAC, with its first frames gone") {
  if (!have("ffmpeg")) return;
  const TemporaryFolder folder;
  const auto flac = make_flac(folder, 300'000, 1);
  const std::vector<float> whole = decode(flac);
  run("ffmpeg -v error -ss 4 -t 12 -i " + flac.string() + " -c copy " +
      (folder / "cut.flac").string());
  const auto cut = folder / "cut.flac";
  // It keeps the total of what it copied from, so only parts can be heard.
  CHECK_THAT(error_of([&] { decode(cut); }), ContainsSubstring("the header promises 300000"));
  const std::string raw = run("ffmpeg -v error -i " + cut.string() + " -f s16le -");
  const auto* samples = reinterpret_cast<const int16_t*>(raw.data());
  REQUIRE(raw.size() > 2 * 180'000);
  for (const int64_t first : {0, 1, 5000, 99'999, 150'000}) {
    const auto part = decode_part(cut, first, 20'000);
    for (size_t i = 0; i < part.size(); ++i) {
      REQUIRE(part[i] == samples[static_cast<size_t>(first) + i] / 32768.0f);
    }
  }
}

#include "cli/progress_line.h"

#include "cli/text_width.h"
#include "tests/catch.h"

using namespace flowqat::cli;
using flowqat::graph::Progress;

namespace {

Progress training() {
  return {.what = "adapt",
          .done = 120,
          .total = 2000,
          .unit = "steps",
          .more = {"epoch 1 of 2", "loss 3.210", "12.3 x real time", "starved 1 %"},
          .left_s = 125};
}

}  // namespace

TEST_CASE("a line of progress is never wider than it may be") {
  const Progress long_name{
      .what = "sounds/日本語の音声ファイル-\u0301recording of a long meeting.flac",
      .done = 3,
      .total = 7,
      .unit = "windows",
      .left_s = 12};
  const Progress unknown{.what = "batch: reading the index", .unit = "files"};
  const Progress bytes{.what = "train-other-500",
                       .done = 12'300'000'000,
                       .total = 30'593'501'606,
                       .unit = "bytes",
                       .more = {"42.1 MB/s"},
                       .left_s = 4000};
  for (const Progress& progress : {training(), long_name, unknown, bytes}) {
    for (int columns = 0; columns <= 250; ++columns) {
      const std::string line = progress_line(progress, columns);
      INFO(columns << ": " << line);
      CHECK(width_of(line) <= columns);
      CHECK((columns < 8 || !line.empty()));
    }
  }
}

TEST_CASE("a line of progress drops the least important first") {
  CHECK(progress_text(training()) ==
        "adapt: 120 of 2,000 steps, 6 %, epoch 1 of 2, loss 3.210, 12.3 x real time, starved 1 %, "
        "2 min 5 s left");
  CHECK(progress_line(training(), 150) ==
        "adapt [#-------------------]: 120 of 2,000 steps, 6 %, epoch 1 of 2, loss 3.210, "
        "12.3 x real time, starved 1 %, 2 min 5 s left");
  CHECK(progress_line(training(), 79) ==
        "adapt [----------------]: 120 of 2,000 steps, 6 %, epoch 1 of 2, 2 min 5 s left");
  CHECK(progress_line(training(), 58) == "adapt: 120 of 2,000 steps, 6 %, 2 min 5 s left");
  CHECK(progress_line(training(), 39) == "adapt: 120 of 2,000 steps, 6 %");
  CHECK(progress_line(training(), 12) == "adapt: 6 %");
  CHECK(progress_line(training(), 4) == "a...");
}

TEST_CASE("a line of progress says bytes as people do, and nothing that is not known") {
  CHECK(progress_text({.what = "dev-clean",
                       .done = 150'000'000,
                       .total = 300'000'000,
                       .unit = "bytes",
                       .more = {"5.0 MB/s"},
                       .left_s = 29.5}) ==
        "dev-clean: 150.0 MB of 300.0 MB, 50 %, 5.0 MB/s, 30 s left");
  CHECK(progress_text({.what = "reading the index", .unit = "files"}) == "reading the index");
  CHECK(progress_text({.what = "warming up", .done_share = 0.5}) == "warming up: 50 %");
  CHECK(progress_text({.what = "a\nb\x1b[2J\xff", .done = 3, .unit = "files"}) ==
        "a?b?[2J?: 3 files");
}

TEST_CASE("text is as wide as a terminal shows it") {
  CHECK(width_of("naïve") == 5);
  CHECK(width_of("nai\u0308ve") == 5);
  CHECK(width_of("日本") == 4);
  CHECK(width_of("\xe6\x97") == 2);  // cut off
  CHECK(cut_to("日本語", 6) == "日本語");
  CHECK(cut_to("日本語", 5) == "日...");
  CHECK(cut_to("日本語", 4) == "...");
  CHECK(cut_to("naïve text", 7) == "naïv...");
  CHECK(printable("Größe 日本\t") == "Größe 日本?");
}

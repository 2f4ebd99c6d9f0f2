#include "cli/text_width.h"
#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/cli/pseudo_terminal.h"
#include "tests/corpus.h"
#include "tests/small_model.h"

using flowqat::cli::width_of;
using flowqat::cli::testing::call;
using flowqat::cli::testing::call_on_terminal;
using flowqat::cli::testing::Drawn;
using flowqat::testing::TemporaryFolder;

namespace {

/// Whether any of the lines holds all of `texts`.
bool has_line(const Drawn& drawn, const std::vector<std::string>& texts) {
  return std::any_of(drawn.statuses.begin(), drawn.statuses.end(), [&](const std::string& line) {
    return std::all_of(texts.begin(), texts.end(), [&](const std::string& text) {
      return line.find(text) != std::string::npos;
    });
  });
}

void check_widths(const Drawn& drawn, int columns) {
  REQUIRE(!drawn.statuses.empty());
  for (const std::string& line : drawn.statuses) {
    INFO(columns << ": " << line);
    CHECK(width_of(line) < columns);
  }
}

}  // namespace

TEST_CASE("progress fits the terminal, as wide as that is or as COLUMNS says") {
  const TemporaryFolder temporary;
  flowqat::testing::make_corpus(temporary.path() / "corpus");
  const std::string command = "profile --graph configs/data_only.json --set corpus.root=" +
                              (temporary.path() / "corpus").string() + " --seconds 1";
  for (const int columns : {80, 40}) {
    const Drawn drawn = call_on_terminal(command, columns);
    CHECK(drawn.status == 0);
    check_widths(drawn, columns);
    CHECK(has_line(drawn, {"batch: measuring", "%"}));
  }
  const Drawn wide = call_on_terminal(command, 120);
  CHECK(has_line(wide, {"batch: measuring [", "x real time", " s left"}));
  const Drawn told = call_on_terminal(command, 120, "COLUMNS=30");
  check_widths(told, 30);
}

TEST_CASE("a run on a terminal says how far it is, in a line that fits, and what it left out") {
  const TemporaryFolder temporary;
  const std::string path = temporary.path().string();
  const auto files = flowqat::testing::make_corpus(temporary.path() / "corpus");
  flowqat::testing::damage(files[3]);
  flowqat::testing::write_small_config(temporary.path() / "config");
  const std::string command =
      "--graph configs/quickstart.json --overwrite --out " + path +
      "/out --set corpus.root=" + path +
      "/corpus --set 'corpus.splits=[\"train\"]' --set dev_corpus.root=" + path +
      "/corpus --set 'dev_corpus.splits=[\"train\"]' --set start.config=" + path +
      "/config --set batch.max_padded_s=4 --set learn.epochs=2 --set adapt.epochs=1";
  const Drawn drawn = call_on_terminal(command, 80);
  INFO(drawn.text);
  CHECK(drawn.status == 0);
  check_widths(drawn, 80);
  CHECK(has_line(drawn, {"learn [", " of ", " steps", "%"}));
  CHECK(has_line(drawn, {"rejected"}));
  CHECK_THAT(drawn.text, ContainsSubstring("left out: " + files[3].string()) &&
                             ContainsSubstring("rejected, each listed in") &&
                             !ContainsSubstring("0.00 h"));
}

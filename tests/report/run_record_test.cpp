/// What a run draws of itself, told line by line.
#include "report/run_record.h"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "graph/json_lines.h"
#include "graph/plain_numbers.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace flowqat::report;
using flowqat::graph::Json;
using flowqat::graph::JsonLines;
using flowqat::graph::RunState;
namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

/// A run of so many steps, told as the program tells it.
class ToldRun {
 public:
  explicit ToldRun(const fs::path& at) : path(at) {
    fs::create_directories(path);
    std::ofstream(path / "graph.json")
        << R"({"seed": 1, "nodes": {"learn": {"comment": "a < b"}}})";
    lines_ = std::make_unique<JsonLines>(path / "metrics.jsonl");
  }
  void tell(RunRecord& record, const Json& line) {
    lines_->add(line);
    record.metric(flowqat::graph::rounded(line));  // as graph/run.cpp does
  }
  void train(RunRecord& record, int steps) {
    for (int i = 1; i <= steps; ++i) {
      const double share = static_cast<double>(i) / steps, noise = 0.3 * std::sin(i * 7.7);
      tell(record, {{"node", "learn"},
                    {"step", i},
                    {"epoch", 1 + 10 * i / (steps + 1)},
                    {"loss", 20 * std::exp(-6 * share) * (1 + noise) + 0.1},
                    {"gradient_norm", i == steps / 2 ? 5000.0 : 3 * (1.2 + noise)},
                    {"learning_rate", 1e-4 * std::sin(3.14159 * share)},
                    {"audio_s", 20.0 * i},
                    {"wall_s", 5.0 * i},
                    {"starved_share", 0.02 + 0.01 * share}});
      const int every = std::max(1, steps / 200);
      if (i % every == 0) {
        Json ranges;
        for (int layer = 0; layer < 24; ++layer) {
          const double wide = 1 + 0.1 * layer * share + 0.02 * std::sin(i + layer);
          ranges["wav2vec2.encoder.layers." + std::to_string(layer / 6) + ".part" +
                 std::to_string(layer % 6)] = {{"input", {-3 * wide, 3.2 * wide}},
                                               {"weight", {-0.4 * wide, 0.4 * wide}},
                                               {"output", {-6.0, 7.0}}};
        }
        tell(record, {{"node", "learn"}, {"step", i}, {"ranges", ranges}});
      }
      if (i % std::max(1, steps / 20) == 0) {
        tell(record, {{"node", "learn"},
                      {"step", i},
                      {"evaluation", "dev_batch"},
                      {"model", "fake_quantized"},
                      {"wer", 0.9 * std::exp(-4 * share) + 0.05},
                      {"cer", 0.3 * std::exp(-4 * share) + 0.02},
                      {"loss", 3 * std::exp(-5 * share) + 0.08},
                      {"best", true}});
      }
    }
  }
  void evaluate(RunRecord& record) {
    Json summary;
    double wer = 0.0142;
    for (const char* model : {"float", "ptq", "fake_quantized", "int8"}) {
      JsonLines list(path / (std::string("wer-") + model + ".jsonl"));
      for (int i = 0; i < 60; ++i) {
        list.add({{"id", "voice-" + std::to_string(i) + "-<b>"},
                  {"speaker", "voice"},
                  {"duration_s", 3.2},
                  {"reference", "TAKE THE GREEN WINDOW NEAR THE KITCHEN & WAIT"},
                  {"hypothesis", i % 3 == 0 ? "TAKE GREEN WIND NEAR THE A KITCHEN & WAIT"
                                            : "TAKE THE GREEN WINDOW NEAR THE KITCHEN & WAIT"},
                  {"errors", i % 3 == 0 ? 3 : 0},
                  {"reference_words", 9},
                  {"character_errors", 8 + i}});
      }
      summary["evaluations"]["wer"]["size_bytes"][model] = 3220000;
      if (model != std::string("float")) {
        summary["evaluations"]["wer"]["differences"]["to"] = "float";
        summary["evaluations"]["wer"]["differences"]["wer"][model] = {
            {"difference", 0.0073}, {"low", -0.0012}, {"high", 0.0158}, {"noise", true}};
      }
      tell(record, {{"node", "wer"},
                    {"model", model},
                    {"wer", wer},
                    {"cer", wer / 4},
                    {"audio_s", 300.0},
                    {"infer_s", 5.0}});
      wer += 0.0025;
    }
    std::ofstream(path / "summary.json") << summary.dump();
  }
  std::string page() const { return read(path / "report.html"); }

  const fs::path path;

 private:
  std::unique_ptr<JsonLines> lines_;
};

}  // namespace

TEST_CASE("a run of a hundred thousand steps is a small page, made at once") {
  const flowqat::testing::TemporaryFolder temporary;
  const char* kept = std::getenv("FLOWQAT_KEEP_PAGE");  // to look at it
  ToldRun run(kept != nullptr ? fs::path(kept) : temporary.path() / "run");
  RunRecord record;
  record.begin(run.path);
  CHECK_THAT(run.page(), ContainsSubstring("http-equiv=\"refresh\"") &&
                             ContainsSubstring("This run is <b>running</b>"));
  run.train(record, 100'000);
  run.evaluate(record);
  JsonLines(run.path / "rejected.jsonl")
      .add({{"id", "broken"}, {"node", "decode"}, {"reason", "<no> audio"}});
  CHECK(record.finish() == std::vector<std::string>{"report.html"});
  const std::string page = run.page();
  CHECK(page.size() < 800'000);
  CHECK_THAT(page,
             ContainsSubstring("This run is <b>finished</b>") &&
                 !ContainsSubstring("http-equiv=\"refresh\"") && ContainsSubstring("100,000") &&
                 ContainsSubstring("+0.73 (-0.12 to +1.58)") &&
                 ContainsSubstring("voice-57-&lt;b&gt;") &&
                 ContainsSubstring("TAKE <del>THE</del> GREEN <del>WINDOW</del> "
                                   "<ins>WIND</ins> NEAR THE <ins>A</ins> KITCHEN &amp; WAIT") &&
                 ContainsSubstring("&lt;no&gt; audio") && ContainsSubstring("a &lt; b") &&
                 ContainsSubstring("Evaluations while training") &&
                 ContainsSubstring("5,000"));  // the one peak of the gradient's norm

  // Gone on with, from the files alone.
  const auto begun = std::chrono::steady_clock::now();
  RunRecord again;
  again.begin(run.path);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  CHECK(took.count() < 60);  // some seconds, where nothing else runs
  again.finish();
  const auto without_time = [](std::string text) {
    const size_t at = text.find("Written ");
    return text.erase(at, text.find('<', at) - at);
  };
  CHECK(without_time(run.page()) == without_time(page));
}

TEST_CASE("a page is written now and then, and says how the run ended") {
  const flowqat::testing::TemporaryFolder temporary;
  ToldRun run(temporary.path() / "run");
  RunRecord record;
  record.begin(run.path);
  const auto first = fs::last_write_time(run.path / "report.html");
  run.train(record, 50);
  CHECK(fs::last_write_time(run.path / "report.html") == first);  // too soon
  record.stop(RunState::failed, "no <audio>");
  CHECK_THAT(run.page(), ContainsSubstring("<b>failed</b>: no &lt;audio&gt;") &&
                             ContainsSubstring(">50<") &&
                             !ContainsSubstring("http-equiv=\"refresh\""));
  CHECK_FALSE(fs::exists(run.path / "report.html.partial"));
}

TEST_CASE("lines that nobody wrote so cost nothing but themselves") {
  const flowqat::testing::TemporaryFolder temporary;
  ToldRun run(temporary.path() / "run");
  std::ofstream(run.path / "metrics.jsonl")
      << R"({"node": 7, "model": [], "wer": "low"})"
      << "\n"
      << R"({"node": "a", "step": -5, "learning_rate": null, "loss": 1e308})"
      << "\n"
      << R"({"node": "a", "step": 99999999999999999999, "learning_rate": 1, "epoch": 1e300})"
      << "\n"
      << R"({"node": "a", "step": 1, "ranges": {"x": {"input": [1], "weight": 3}, "y": 2}})"
      << "\n"
      << R"({"node": "../../etc", "model": "passwd", "wer": 0.5})"
      << "\n";
  std::ofstream(run.path / "graph.json") << "{";
  RunRecord record;
  record.begin(run.path);
  record.finish();
  CHECK_THAT(run.page(), ContainsSubstring("<b>finished</b>"));
}

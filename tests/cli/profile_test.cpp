#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/cli/pseudo_terminal.h"
#include "tests/corpus.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::call_on_terminal;
using flowqat::cli::testing::Drawn;
using flowqat::cli::testing::Outcome;
using flowqat::testing::TemporaryFolder;

TEST_CASE("flowqat profile measures a graph's data side alone, without its model") {
  const TemporaryFolder temporary;
  flowqat::testing::make_corpus(temporary.path() / "corpus");
  const std::string root = "--set corpus.root=" + (temporary.path() / "corpus").string();
  const std::string html = (temporary.path() / "p.html").string(),
                    trace = (temporary.path() / "t.json").string();
  const Outcome found =
      call("profile --graph configs/data_only.json " + root +
           " --seconds 0.1 --json --isolate --html " + html + " --trace " + trace);
  REQUIRE(found.status == 0);
  CHECK(found.out.find('\n') == found.out.size() - 1);
  const auto json = nlohmann::json::parse(found.out);
  CHECK(json.at("x_realtime") > 0);
  CHECK(json.at("cpu_s_per_1000_s") > 0);
  CHECK(json.at("peak_rss_bytes") > 1'000'000);
  CHECK(json.at("utterances") == 36);
  CHECK(json.at("measured") > 0);
  CHECK(json.at("epochs") > 0);
  CHECK(json.at("x_realtime_lowest") <= json.at("x_realtime"));
  CHECK(json.at("x_realtime_highest") >= json.at("x_realtime"));
  double busy_share = 0;
  for (const auto& node : json.at("nodes")) busy_share += node.at("busy_share").get<double>();
  CHECK(busy_share <= 1);
  REQUIRE(json.at("nodes").size() == 5);
  CHECK(json.at("nodes").at(0).at("node") == "decode");
  CHECK(json.at("isolated").at(0).at("threads") == 1);
  std::string names;
  for (const auto& node : json.at("nodes")) names += node.at("node").get<std::string>() + " ";
  CHECK_THAT(names, ContainsSubstring(json.at("bottleneck").get<std::string>()));

  // The same batches as the graph's own run hands on.
  const std::string out = (temporary.path() / "run").string();
  REQUIRE(call("--graph configs/data_only.json " + root + " --out " + out).status == 0);
  std::ifstream summary(out + "/summary.json");
  CHECK(json.at("batches_sha256") == nlohmann::json::parse(summary).at("batches_sha256"));

  std::ifstream page(html), events(trace);
  const std::string text{std::istreambuf_iterator<char>(page), {}};
  CHECK_THAT(text, ContainsSubstring("<polygon") && ContainsSubstring("Each node alone") &&
                       !ContainsSubstring("http:") && !ContainsSubstring("https:"));
  CHECK(nlohmann::json::parse(events).at("traceEvents").size() > 36 * 5);

  const Outcome person =
      call("profile --graph configs/data_only.json " + root + " --seconds 0.1 --trainer 50");
  CHECK(person.status == 0);
  CHECK_THAT(person.out, ContainsSubstring("bottleneck: ") &&
                             ContainsSubstring("hours of audio an hour") &&
                             ContainsSubstring("a trainer at 50 x real time needs"));
}

TEST_CASE("flowqat profile of a very large corpus takes the time that it was given") {
  const TemporaryFolder temporary;
  const auto files = flowqat::testing::make_corpus(temporary.path() / "corpus");
  const std::string manifest = (temporary.path() / "large.jsonl").string();
  {
    std::ofstream lines(manifest);
    for (int i = 0; i < 300'000; ++i) {
      lines << R"({"audio_filepath": ")" << files[static_cast<size_t>(i) % files.size()].string()
            << R"(", "text": "SEVEN"})" << '\n';
    }
  }
  std::ifstream recipe(FLOWQAT_SOURCE_DIR "/configs/data_only.json");
  nlohmann::json graph = nlohmann::json::parse(recipe);
  graph["nodes"]["corpus"] = {{"type", "manifest"}, {"path", manifest}, {"cache", false}};
  const std::string path = (temporary.path() / "graph.json").string();
  std::ofstream(path) << graph;
  const std::string command = "profile --graph " + path + " --seconds 1 --json --isolate";
  const Drawn drawn = call_on_terminal(command, 80);
  INFO(drawn.text);
  REQUIRE(drawn.status == 0);
  const auto json = nlohmann::json::parse(drawn.text.substr(drawn.text.find("{\"stream")));
  CHECK(json.at("utterances") == 900'000);  // at three speeds
  CHECK(json.at("measured") > 0);
  CHECK(json.at("epochs") < 1);
  CHECK(json.at("wall_s") >= 1);
  CHECK(json.at("wall_s") < 30);  // of what would take many minutes
  CHECK(json.at("sample") == "");
  CHECK(json.at("batches_sha256").is_null());
  CHECK(json.at("isolated").size() >= 5);
  std::string statuses;
  for (const std::string& status : drawn.statuses) statuses += status + "\n";
  CHECK_THAT(statuses, ContainsSubstring("reading the index") && ContainsSubstring("measuring") &&
                           ContainsSubstring(" alone on 1 thread"));
}

TEST_CASE("flowqat profile says what it cannot do before it measures") {
  const Outcome stream = call("profile --graph configs/data_only.json --stream perturb");
  CHECK(stream.status == 2);
  CHECK_THAT(stream.err, ContainsSubstring("no batch node is named \"perturb\""));
  const Outcome page = call("profile --graph configs/data_only.json --html /proc/none/p.html");
  CHECK(page.status == 3);
  CHECK_THAT(page.err, ContainsSubstring("/proc/none/p.html: cannot be written"));
  CHECK(call("profile --graph configs/data_only.json --trainer 0").status == 2);
}

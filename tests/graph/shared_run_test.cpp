/// A run of the data side that several processes share, against that of one alone.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "graph/error.h"
#include "graph/run.h"
#include "tests/catch.h"
#include "tests/graph/test_nodes.h"
#include "tests/graph/thread_peers.h"
#include "tests/temporary_folder.h"

using namespace flowqat::graph;
using namespace flowqat::graph::testing;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

struct Spoken : Reporter {
  void say(const std::string& line) override { said += line + "\n"; }
  void progress(const Progress&) override {}
  void result(const std::string&) override {}
  std::string said;
};

std::string bytes(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

Graph numbers(const fs::path& out, const std::string& reject, const Json& settings) {
  Json file = settings;
  file["out"] = out.string();
  file["threads"] = 2;
  file["nodes"] = Json::parse(
      R"({"c": {"type": "numbers", "count": 61}, "f": {"type": "fill", "from": "c"},
          "j": {"type": "jitter", "from": "f", "copies": 2},
          "p": {"type": "probe", "from": "j", "reject": ")" +
      reject + R"("}, "b": {"type": "pack", "from": "p", "drawn": 1, "window": 40}})");
  return Graph(resolve(file, "test.json"));
}

struct Shared {
  Json summary;
  std::string rejected, said;
  std::vector<std::string> failures;
};

Shared run_as(int size, const fs::path& out, const std::string& reject,
              const Json& settings = Json::object()) {
  probe().reset(0);
  const std::atomic<int> no_signal{0};
  Shared shared;
  shared.failures = as_ranks(size, [&](Peers& peers) {
    Spoken reporter;
    const Json summary = run_graph(
        numbers(out, reject, settings),
        {.reporter = &reporter, .stop_signal = &no_signal, .peers = size > 1 ? &peers : nullptr});
    if (peers.rank() > 0) return;
    shared.summary = summary;
    shared.said = reporter.said;
  });
  shared.rejected = bytes(out / "rejected.jsonl");
  return shared;
}

}  // namespace

TEST_CASE("processes that share a run leave what one alone leaves, in the same order") {
  const TemporaryFolder temporary;
  for (const std::string reject : {"", "u5"}) {
    const Shared alone = run_as(1, temporary.path() / ("1" + reject), reject);
    REQUIRE(alone.failures == std::vector<std::string>(1));
    REQUIRE(alone.rejected.empty() == reject.empty());
    for (const int size : {2, 3, 7}) {
      const Shared shared =
          run_as(size, temporary.path() / (std::to_string(size) + reject), reject);
      REQUIRE(shared.failures == std::vector<std::string>(static_cast<size_t>(size)));
      CHECK(shared.summary.at("batches_sha256") == alone.summary.at("batches_sha256"));
      CHECK(shared.summary.at("utterances") == alone.summary.at("utterances"));
      CHECK(shared.summary.at("data").at("b").at("audio_s").get<double>() ==
            Approx(alone.summary.at("data").at("b").at("audio_s").get<double>()));
      CHECK(shared.rejected == alone.rejected);
      CHECK((shared.said.find("left out: /numbers/u5") == std::string::npos) == reject.empty());
    }
  }
}

TEST_CASE("the limit of rejected utterances is that of all processes together") {
  const TemporaryFolder temporary;
  const Json limit{{"max_rejected", 1}};
  // u5 comes twice: once too often for all, whoever draws it.
  for (const int size : {1, 2, 5}) {
    const Shared shared = run_as(size, temporary.path() / std::to_string(size), "u5", limit);
    CHECK_THAT(shared.failures.front(), ContainsSubstring("max_rejected"));
  }
  CHECK(run_as(3, temporary.path() / "two", "u5", {{"max_rejected", 2}}).failures ==
        std::vector<std::string>(3));
}

TEST_CASE("a folder that holds a run is refused once, and the other processes say why they end") {
  const TemporaryFolder temporary;
  REQUIRE(run_as(2, temporary.path(), "").failures == std::vector<std::string>(2));
  const Shared again = run_as(2, temporary.path(), "");
  CHECK_THAT(again.failures[0], ContainsSubstring("holds a run already"));
  CHECK_THAT(again.failures[1], ContainsSubstring("ends because rank 0 failed") &&
                                    ContainsSubstring("holds a run already"));
}

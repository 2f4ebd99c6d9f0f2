/// What is found out about a graph before its first step, and told together.
#include "graph/check.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "graph/mistakes.h"
#include "graph/run.h"
#include "tests/catch.h"
#include "tests/graph/test_nodes.h"
#include "tests/temporary_folder.h"

using namespace flowqat::graph;
using namespace flowqat::graph::testing;
using flowqat::testing::TemporaryFolder;

namespace {

class Silent : public Reporter {
 public:
  void say(const std::string&) override {}
  void progress(const Progress&) override {}
  void result(const std::string&) override {}
};

/// Two streams of numbers, one with `first` among the keys of its corpus, and top-level keys.
Graph two_streams(const std::string& first, const Json& settings = Json::object()) {
  Json file = settings;
  file["nodes"] = Json::parse(R"({"a": {"type": "numbers")" + first + R"(},
      "fill_a": {"type": "fill", "from": "a"}, "pack_a": {"type": "pack", "from": "fill_a"},
      "b": {"type": "numbers", "count": 3}, "fill_b": {"type": "fill", "from": "b"},
      "pack_b": {"type": "pack", "from": "fill_b"},
      "hear": {"type": "listen", "audio": ["pack_a", "pack_b"], "needed": true}})");
  return Graph(resolve(file, "test.json"));
}

const std::atomic<int> no_signal{0};

std::string complaint(const Graph& graph) {
  Silent silent;
  try {
    check(graph, silent, no_signal);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing";
}

}  // namespace

TEST_CASE("a sound graph's streams are read and told") {
  const Graph graph = two_streams(R"(, "count": 20, "broken": 2)");
  Silent silent;
  const Checked checked = check(graph, silent, no_signal);
  CHECK(checked.streams.size() == 2);
  REQUIRE(checked.seen.size() == 2);
  CHECK_THAT(checked.seen[0],
             ContainsSubstring("pack_a: 20 utterances of a, 20 s of audio an epoch at 1000 Hz") &&
                 ContainsSubstring("2 that cannot be used: /numbers/u0: has no header"));
  CHECK_THAT(checked.seen[1],
             ContainsSubstring("pack_b: 3 utterances of b, 3 s of audio an epoch"));
  CHECK(checked.open.empty());
}

TEST_CASE("what is wrong with several streams is told at once") {
  const Graph graph = two_streams(R"(, "count": 20, "odd_rate_hz": 500)", {{"max_rejected", 0}});
  CHECK_THAT(complaint(graph), ContainsSubstring("test.json: node \"pack_a\"") &&
                                   ContainsSubstring("utterances of different rates"));
  const Graph both = two_streams(R"(, "count": 0)", {{"audio_in_flight_s", 0.1}});
  CHECK_THAT(complaint(both), ContainsSubstring("test.json: 2 mistakes:\n  node \"a\"") &&
                                  ContainsSubstring("holds no utterance\n  key "
                                                    "\"audio_in_flight_s\": 0.1 s is too little"));
}

TEST_CASE("more broken utterances than the run may reject are known from the index") {
  const std::string half = R"(, "count": 20, "broken": 10)";
  CHECK(complaint(two_streams(half)) == "nothing");  // max_rejected_share is 0.5
  CHECK_THAT(complaint(two_streams(R"(, "count": 20, "broken": 11)")),
             ContainsSubstring("node \"a\": 11 of 20 utterances of an epoch cannot be used, more "
                               "than max_rejected_share allows; the first one: /numbers/u0: has "
                               "no header"));
  CHECK_THAT(complaint(two_streams(half, {{"max_rejected", 9}})),
             ContainsSubstring("more than max_rejected allows"));
  CHECK(complaint(two_streams(half, {{"max_rejected", 10}})) == "nothing");
}

TEST_CASE("a graph that is found wrong leaves the run's folder as it was") {
  const TemporaryFolder temporary;
  const std::filesystem::path out = temporary.path() / "out";
  Silent silent;
  const auto run = [&](const std::string& first, Existing existing) {
    run_graph(two_streams(first, {{"out", out.string()}}),
              {.existing = existing, .reporter = &silent, .stop_signal = &no_signal});
  };
  CHECK_THROWS_AS(run(R"(, "count": 0)", Existing::refuse), GraphError);
  CHECK_FALSE(std::filesystem::exists(out));
  run("", Existing::refuse);
  REQUIRE(std::filesystem::exists(out / "summary.json"));
  CHECK_THROWS_AS(run(R"(, "count": 0)", Existing::overwrite), GraphError);
  CHECK(std::filesystem::exists(out / "summary.json"));
}

TEST_CASE("mistakes are kept once each and told in one error") {
  Mistakes mistakes("g.json");
  CHECK_NOTHROW(mistakes.throw_if_any());
  const auto missing = [] { throw RunError("node \"a\": /no/such"); };
  mistakes.collect(missing);
  mistakes.collect(missing, "never used: ");
  CHECK_THROWS_AS(mistakes.throw_if_any(), GraphError);
  CHECK_THROWS_WITH(mistakes.throw_if_any(), "g.json: node \"a\": /no/such");
  mistakes.collect([] { throw GraphError("key \"b\": no"); }, "node \"c\": ");
  CHECK_THROWS_WITH(mistakes.throw_if_any(),
                    "g.json: 2 mistakes:\n  node \"a\": /no/such\n  node \"c\": key \"b\": no");
  // What is no mistake of the user's is not kept.
  CHECK_THROWS_AS(mistakes.collect([] { throw std::logic_error("a bug"); }), std::logic_error);
}

TEST_CASE("a graph that says how many processes there are is told who says so now") {
  CHECK_THROWS_WITH(
      two_streams("", {{"world_size", 4}}),
      ContainsSubstring("test.json: key \"world_size\": is no key of a graph any more") &&
          ContainsSubstring("--processes N"));
  CHECK_THROWS_WITH(two_streams("", {{"rank", 3}}), ContainsSubstring("key \"rank\""));
  // As the graphs of older runs have it.
  CHECK_NOTHROW(two_streams("", {{"rank", 0}, {"world_size", 1}}));
}

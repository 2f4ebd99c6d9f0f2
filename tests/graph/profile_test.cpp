#include "graph/profile.h"

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "graph/isolate.h"
#include "tests/catch.h"
#include "tests/graph/test_nodes.h"
#include "tests/temporary_folder.h"

using namespace flowqat::graph;
using flowqat::graph::testing::make_graph;
using flowqat::graph::testing::probe;
using flowqat::graph::testing::Streams;

namespace {

std::string chain(const std::string& probe_keys = "") {
  return R"({"c": {"type": "numbers", "count": 20}, "f": {"type": "fill", "from": "c"},
             "p": {"type": "probe", "from": "f")" +
         probe_keys + R"(}, "b": {"type": "pack", "from": "p"}})";
}

}  // namespace

TEST_CASE("a histogram's quantiles are within 2 % of what was put in") {
  DurationHistogram histogram;
  const auto before = histogram.counts();
  CHECK(DurationHistogram::quantile_ms(before, histogram.counts(), 0.5) == 0);
  for (int i = 1; i <= 1000; ++i) histogram.add(std::chrono::microseconds(i));
  const auto after = histogram.counts();
  CHECK(DurationHistogram::quantile_ms(before, after, 0.5) == Approx(0.5).epsilon(0.02));
  CHECK(DurationHistogram::quantile_ms(before, after, 0.99) == Approx(0.99).epsilon(0.02));
  for (const int64_t ns : {0, 5, 31, 32, 33, 63, 64, 1000, 123456789}) {
    DurationHistogram one;
    one.add(std::chrono::nanoseconds(ns));
    CHECK(DurationHistogram::quantile_ms(before, one.counts(), 1) ==
          Approx(1e-6 * static_cast<double>(ns)).epsilon(0.02));
  }
}

TEST_CASE("a profile names the node that takes the time, and counts what it saw") {
  probe().reset(2);
  Streams streams(chain(), 2);
  const Profile found = profile(streams.pipeline, {.seconds = 0.3});
  CHECK(found.bottleneck == "p");
  CHECK_THAT(found.reason, ContainsSubstring("wait for files"));  // sleeping is not computing
  REQUIRE(found.nodes.size() == 2);
  const NodeProfile& node = found.nodes[1];
  CHECK(node.p50_ms >= 2);
  CHECK(node.p99_ms >= node.p50_ms);
  CHECK(node.busy_share > 2 * found.nodes[0].busy_share);  // a loaded machine gives both less
  CHECK(found.nodes[0].busy_share + node.busy_share <= 1);
  CHECK(found.wall_s >= 0.3);
  CHECK(found.utterances == 20);
  CHECK(found.epochs() > 1);
  CHECK(found.sample.empty());
  CHECK(node.utterances_per_s ==
        Approx(static_cast<double>(found.measured) / found.wall_s).epsilon(0.1));
  // Utterances of 1.00 to 1.19 s.
  CHECK(found.audio_s == Approx(1.095 * static_cast<double>(found.measured)).epsilon(0.1));
  CHECK(found.slices_x_realtime.size() == 10);
  CHECK(found.lowest_x_realtime() <= found.x_realtime());
  CHECK(found.highest_x_realtime() >= found.x_realtime());
  CHECK(found.peak_rss_bytes > 1'000'000);
  REQUIRE(!found.timeline.empty());
  for (const Occupancy& at : found.timeline) {
    CHECK(at.waiting_s.size() == 3);
    CHECK(at.active[1] <= 2);
  }

  Streams again(chain(), 1);
  const auto stream = again.pipeline.open("b", 0);
  while (stream->next()) {
  }
  CHECK(again.ledger.batches_sha256() == found.batches_sha256);
}

TEST_CASE("a profile takes the time it was given, however long an epoch would be") {
  probe().reset(2);
  // 40 s an epoch on two threads.
  const std::string large = R"({"c": {"type": "numbers", "count": 40000},
      "p": {"type": "probe", "from": "c"}, "b": {"type": "pack", "from": "p"}})";
  Streams streams(large, 2);
  std::vector<Progress> told;
  const auto start = std::chrono::steady_clock::now();
  const Profile found = profile(
      streams.pipeline, {.seconds = 0.5, .warm_up_s = 0.2, .progress = [&](const Progress& p) {
                           told.push_back(p);
                         }});
  const double gone_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  CHECK(gone_s < 10);
  CHECK(found.wall_s >= 0.5);
  CHECK(found.wall_s < 5);
  CHECK(found.epochs() < 1);
  CHECK(found.measured > 0);
  CHECK(found.batches_sha256.empty());
  CHECK(told.front().what == "planning an epoch");
  CHECK(told.back().what == "measuring");
  CHECK(told.back().share() == 1);
  CHECK(told.back().left_s == 0);
}

TEST_CASE("a profile that saw a part of an epoch says where that is no sample of it") {
  probe().reset(2);
  const auto sample = [](const std::string& keys) {
    Streams streams(R"({"c": {"type": "numbers", "count": 40000},
        "p": {"type": "probe", "from": "c"}, "b": {"type": "pack", "from": "p")" +
                    keys + "}}");
    return profile(streams.pipeline, {.seconds = 0.05, .warm_up_s = 0}).sample;
  };
  CHECK(sample(R"(, "drawn": 1)").empty());
  CHECK_THAT(sample(""), ContainsSubstring("\"b\" draws them in the corpus's order"));
}

TEST_CASE("a batch that takes longer than the measurement neither hangs nor is left out") {
  probe().reset(300);
  Streams streams(R"({"c": {"type": "numbers", "count": 40},
      "p": {"type": "probe", "from": "c"}, "b": {"type": "pack", "from": "p", "size": 40}})",
                  2);
  const Profile found = profile(streams.pipeline, {.seconds = 0.1, .warm_up_s = 0.1});
  CHECK(found.wall_s < 3);  // the batch takes 6
  CHECK(found.measured >= 1);
  // What is under way counts, and no thread can have been busy for longer than there was time.
  CHECK(found.nodes[0].busy_share > 0);
  CHECK(found.nodes[0].busy_share <= 1);
}

TEST_CASE("what a profile cannot measure is said plainly") {
  probe().reset(0);
  Streams streams(chain(R"(, "reject": "all")"), 2);
  REQUIRE_THROWS_WITH(profile(streams.pipeline, {.seconds = 0}),
                      ContainsSubstring("that were measured were rejected"));
  REQUIRE_THROWS_WITH(isolate(streams.pipeline, 0, {}),
                      ContainsSubstring("node \"p\": rejects every utterance"));
  Streams stopped(chain(), 2);
  REQUIRE_THROWS_AS(
      profile(stopped.pipeline, {.seconds = 0, .throw_if_stopped = [] { throw Interrupted(2); }}),
      Interrupted);
}

TEST_CASE("nodes are measured alone at every thread count") {
  probe().reset(3);
  Streams streams(chain(R"(, "reject": "u3")"), 3);
  const auto found = isolate(streams.pipeline, 0.6, {});
  REQUIRE(found.size() == 6);
  CHECK(found[0].node == "f");
  for (size_t i = 3; i < 6; ++i) {
    CHECK(found[i].node == "p");
    CHECK(found[i].threads == static_cast<int>(i - 2));
  }
  CHECK(found[3].scaling == 1);
  CHECK(found[5].scaling > 1.8);  // sleeping takes no core
}

TEST_CASE("a trace holds every piece of work, with its thread and time") {
  probe().reset(0);
  Streams streams(chain(), 2);
  Trace trace({"f", "p"});
  streams.pipeline.set_trace(&trace);
  {
    const auto stream = streams.pipeline.open("b", 0);
    while (stream->next()) {
    }
  }
  const flowqat::testing::TemporaryFolder folder;
  trace.write(folder.path() / "trace.json");
  std::ifstream file(folder.path() / "trace.json");
  const Json json = Json::parse(file);
  int pieces = 0;
  for (const Json& event : json.at("traceEvents")) {
    if (event.at("ph") != "X") continue;
    ++pieces;
    CHECK((event.at("name") == "f" || event.at("name") == "p"));
    CHECK(event.at("dur").get<double>() >= 0);
    CHECK(event.at("args").at("utterance").get<std::string>().starts_with("u"));
  }
  CHECK(pieces == 40);
  REQUIRE_THROWS_WITH(trace.write("/proc/none/trace.json"), ContainsSubstring("/proc/none"));
}

TEST_CASE("a stream is taken out of its graph with all that it draws from and no more") {
  const std::string two = R"({"c": {"type": "numbers"}, "f": {"type": "fill", "from": "c"},
                              "b": {"type": "pack", "from": "f"},
                              "d": {"type": "numbers"}, "e": {"type": "pack", "from": "d"}})";
  const GraphSpec spec = make_graph(two).spec();
  const auto names = [](const GraphSpec& graph) {
    std::string text;
    for (const NodeSpec& node : graph.nodes) text += node.name;
    return text;
  };
  CHECK(names(upstream_of(spec, "")) == "cfb");
  CHECK(names(upstream_of(spec, "e")) == "de");
  REQUIRE_THROWS_WITH(upstream_of(spec, "f"),
                      ContainsSubstring("no batch node is named \"f\"; its streams end in \"b\", "
                                        "\"e\""));
}

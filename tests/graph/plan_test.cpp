#include "graph/plan.h"

#include <set>

#include "graph/error.h"
#include "tests/catch.h"
#include "tests/graph/test_nodes.h"

using namespace flowqat::graph;
using flowqat::graph::testing::Streams;

namespace {

std::string chain(const std::string& source_keys, const std::string& jitter_keys = "") {
  return R"({"c": {"type": "numbers")" + source_keys + R"(}, "f": {"type": "fill", "from": "c"},
             "j": {"type": "jitter", "from": "f")" +
         jitter_keys + R"(}, "b": {"type": "pack", "from": "j"}})";
}

std::multiset<std::pair<uint32_t, int>> presentations(const Plan& plan) {
  std::multiset<std::pair<uint32_t, int>> all;
  for (const PlannedBatch& batch : plan) {
    for (const Presentation& at : batch.rows) all.insert({at.entry, at.copy});
  }
  return all;
}

}  // namespace

TEST_CASE("an epoch presents every utterance once in every copy") {
  const Streams streams(chain(R"(, "count": 11)", R"(, "copies": 3)"));
  const auto all = presentations(streams.pipeline.plan("x", 0));
  CHECK(all.size() == 33);
  CHECK(std::set(all.begin(), all.end()).size() == 33);
}

TEST_CASE("the plan's order is a function of seed, consumer and epoch, and of each of them") {
  std::string nodes = chain("");
  nodes.replace(nodes.find(R"("pack",)"), 7, R"("pack", "drawn": 1,)");
  const Streams one(nodes), same(nodes), other(nodes, 2, {.seed = 2});
  const auto order = [](const Streams& streams, const char* consumer, int64_t epoch) {
    std::vector<uint32_t> all;
    for (const PlannedBatch& batch : streams.pipeline.plan(consumer, epoch)) {
      for (const Presentation& at : batch.rows) all.push_back(at.entry);
    }
    return all;
  };
  const auto planned = order(one, "x", 3);
  CHECK(order(same, "x", 3) == planned);
  CHECK(order(other, "x", 3) != planned);
  CHECK(order(one, "y", 3) != planned);
  CHECK(order(one, "x", 4) != planned);
  // What is presented is the same each time.
  const auto all = presentations(one.pipeline.plan("x", 3));
  CHECK(presentations(other.pipeline.plan("x", 3)) == all);
  CHECK(presentations(one.pipeline.plan("y", 3)) == all);
  CHECK(presentations(one.pipeline.plan("x", 4)) == all);
}

TEST_CASE("hours take a seeded subset, the same in every epoch, and no more than asked for") {
  const double hours = 10.0 / 3600;  // utterances are 1.0 to 1.2 s
  const std::string keys = R"(, "hours": )" + std::to_string(hours);
  const Streams one(chain(keys)), other(chain(keys), 2, {.seed = 2});
  const auto chosen = presentations(one.pipeline.plan("x", 0));
  CHECK(chosen == presentations(one.pipeline.plan("x", 5)));
  CHECK(chosen != presentations(other.pipeline.plan("x", 0)));
  CHECK(one.pipeline.selection().presented_s <= 10.0);
  CHECK(one.pipeline.selection().presented_s > 8.5);
  CHECK(one.pipeline.selection().corpus_s == Approx(22).margin(1));
}

TEST_CASE("with hours, what is broken by its header comes by its share, as everything else") {
  const auto counts = [](int broken, double hours, uint64_t seed) {
    const Streams streams(chain(R"(, "count": 400, "broken": )" + std::to_string(broken) +
                                R"(, "hours": )" + std::to_string(hours)),
                          2, {.seed = seed});
    int found = 0, all = 0;
    for (const auto& [entry, copy] : presentations(streams.pipeline.plan("x", 0))) {
      found += streams.pipeline.index()[entry].broken.empty() ? 0 : 1;
      ++all;
    }
    CHECK(presentations(streams.pipeline.plan("x", 5)).size() == static_cast<size_t>(all));
    return std::pair(found, all);
  };
  // Utterances of 1 to 5 s, the broken ones stand first: an eighth of 1,100 s.
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const auto [found, all] = counts(40, 137.0 / 3600, seed);
    CHECK((found == 4 || found == 5));
    CHECK(all > 30);
    CHECK(all < 70);
  }
  // One alone comes in about as many subsets as any other.
  int seen = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) seen += counts(1, 400.0 / 3600, seed).first;
  CHECK(seen > 8);
  CHECK(seen < 35);
  // Asked for more than there is: all of it, and what is broken with it.
  CHECK(counts(40, 1, 1) == std::pair(40, 400));
  // Nothing has a length: nothing can be drawn by it, and none of it may hide.
  CHECK(counts(400, 1, 1) == std::pair(400, 400));
}

TEST_CASE("batches that would mix sample rates are refused with both files named") {
  const Streams streams(chain(R"(, "odd_rate_hz": 500)"));
  CHECK_THROWS_WITH(streams.pipeline.plan("x", 0),
                    ContainsSubstring("/numbers/u0 comes at 1000 Hz, /numbers/u1 at 500 Hz") &&
                        ContainsSubstring("resample"));
}

TEST_CASE("an empty corpus is an error that names its node") {
  CHECK_THROWS_WITH(Streams(chain(R"(, "count": 0)")),
                    ContainsSubstring("node \"c\": the corpus holds no utterance"));
}

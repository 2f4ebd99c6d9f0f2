#include "graph/epoch_plan.h"

#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "graph/error.h"
#include "graph/index.h"
#include "tests/catch.h"
#include "tests/graph/test_nodes.h"

using namespace flowqat::graph;
using flowqat::graph::testing::Streams;

namespace {

std::string chain(int count, int window, const std::string& pack_keys = "",
                  const std::string& jitter_keys = "") {
  return R"({"c": {"type": "numbers", "count": )" + std::to_string(count) +
         R"(}, "f": {"type": "fill", "from": "c"}, "j": {"type": "jitter", "from": "f")" +
         jitter_keys + R"(}, "b": {"type": "pack", "from": "j", "window": )" +
         std::to_string(window) + pack_keys + "}}";
}

std::vector<std::pair<uint32_t, int>> rows_of(const Plan& plan) {
  std::vector<std::pair<uint32_t, int>> all;
  for (const PlannedBatch& batch : plan) {
    for (const Presentation& at : batch.rows) all.emplace_back(at.entry, at.copy);
  }
  return all;
}

}  // namespace

TEST_CASE("a permutation is one: every number once, others with another key") {
  for (const uint64_t size : {1u, 2u, 3u, 7u, 64u, 1000u, 4097u}) {
    std::set<uint64_t> seen;
    const Permutation permutation(5, size);
    for (uint64_t i = 0; i < size; ++i) seen.insert(permutation(i));
    CHECK(seen.size() == size);
    CHECK(*seen.rbegin() == size - 1);
  }
  int same = 0;
  for (uint64_t i = 0; i < 1000; ++i) same += Permutation(1, 1000)(i) == Permutation(2, 1000)(i);
  CHECK(same < 10);
  // The first tenth comes from everywhere: its mean is that of all, within 4 standard deviations.
  double sum = 0;
  for (uint64_t i = 0; i < 1000; ++i) sum += static_cast<double>(Permutation(7, 10000)(i));
  CHECK(sum / 1000 == Approx(5000).margin(4 * 2887 / std::sqrt(1000)));
}

TEST_CASE("the windows of an epoch hold every presentation once, and those of like size") {
  const Streams streams(chain(103, 10, R"(, "drawn": 1)", R"(, "copies": 3)"));
  const auto plan = streams.pipeline.epoch_plan("x", 2);
  REQUIRE(plan->windows() == 31);
  std::multiset<std::pair<uint32_t, int>> all;
  for (size_t window = 0; window < plan->windows(); ++window) {
    const auto rows = rows_of(plan->window(window));
    CHECK((rows.size() == 9 || rows.size() == 10));
    all.insert(rows.begin(), rows.end());
  }
  CHECK(all.size() == 309);
  CHECK(std::set(all.begin(), all.end()).size() == 309);
  CHECK(rows_of(plan->whole()).size() == 309);
  // A window is drawn from all of the corpus, anew in every epoch.
  std::set<uint32_t> thirds;
  for (const auto& [entry, copy] : rows_of(plan->window(0))) thirds.insert(entry / 35);
  CHECK(thirds.size() == 3);
  CHECK(rows_of(plan->window(0)) != rows_of(streams.pipeline.epoch_plan("x", 3)->window(0)));
  CHECK(rows_of(plan->window(4)) == rows_of(streams.pipeline.epoch_plan("x", 2)->window(4)));
}

TEST_CASE("windows of what is not drawn follow the corpus") {
  const Streams streams(chain(50, 7));
  std::vector<std::pair<uint32_t, int>> expected;
  for (uint32_t i = 0; i < 50; ++i) expected.emplace_back(i, 0);
  CHECK(rows_of(streams.pipeline.plan("x", 0)) == expected);
}

TEST_CASE(
    "an epoch of several windows is the same stream at any number of threads, from any batch") {
  const std::string nodes = chain(240, 50, R"(, "drawn": 1, "size": 3)");
  std::vector<std::string> one;
  {
    Streams streams(nodes, 1);
    const auto stream = streams.pipeline.open("x", 1);
    const Plan plan = streams.pipeline.plan("x", 1);
    while (const auto batch = stream->next()) {
      REQUIRE(batch->number == std::ssize(one));
      std::string ids;
      for (const Row& row : batch->rows) ids += row.entry->id + " ";
      one.push_back(ids);
      const PlannedBatch& planned = plan[one.size() - 1];
      REQUIRE(planned.rows.size() == batch->rows.size());
      CHECK(batch->rows[0].entry->id == "u" + std::to_string(planned.rows[0].entry));
    }
    CHECK(one.size() == plan.size());
    CHECK(stream->extent().batches == std::ssize(plan));
    CHECK(stream->extent().utterances == 240);
    CHECK(stream->next() == nullptr);
  }
  for (const int first : {0, 1, 16, 17, 40, 79, 80, 200}) {
    Streams streams(nodes, 4);
    const auto stream = streams.pipeline.open("x", 1, first);
    CHECK(stream->extent().batches == std::ssize(one));
    auto number = static_cast<size_t>(first);
    while (const auto batch = stream->next()) {
      REQUIRE(number < one.size());
      std::string ids;
      for (const Row& row : batch->rows) ids += row.entry->id + " ";
      CHECK(ids == one[number++]);
    }
    CHECK(number == std::max<size_t>(one.size(), static_cast<size_t>(first)));
  }
}

TEST_CASE("batches are counted as they are planned") {
  const Streams streams(chain(103, 10, R"(, "drawn": 1, "size": 4)"));
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    const auto planned = std::ssize(streams.pipeline.plan("x", epoch));
    const std::vector<int64_t> counts = streams.pipeline.count_windows("x", epoch);
    CHECK(std::accumulate(counts.begin(), counts.end(), int64_t{0}) == planned);
    CHECK(streams.pipeline.count_batches("x", epoch) == planned);
  }
  // Far away it is not counted.
  const Streams many(chain(5000, 500, R"(, "drawn": 1, "size": 4)"));
  CHECK(many.pipeline.count_batches("x", int64_t{1} << 40) == 1250);
}

TEST_CASE("what a later window throws reaches the consumer") {
  // A window is a batch; with one of the two longest utterances it is too long for what may be in
  // flight.
  const std::string nodes = chain(12, 4, R"(, "drawn": 1)");
  int at_once = 0, later = 0;
  for (int64_t epoch = 0; epoch < 20; ++epoch) {
    Streams streams(nodes, 2, {.audio_in_flight_s = 9});
    std::unique_ptr<Stream> stream;
    try {
      stream = streams.pipeline.open("x", epoch);
    } catch (const GraphError&) {
      ++at_once;
      continue;
    }
    const auto hear_all = [&] {
      while (stream->next()) {
      }
    };
    CHECK_THROWS_WITH(hear_all(), ContainsSubstring("\"audio_in_flight_s\""));
    ++later;
  }
  CHECK(at_once > 0);
  CHECK(later > 0);
}

TEST_CASE("an index of several corpora keeps their ids, groups and keys apart") {
  std::vector<IndexEntry> entries(3);
  for (size_t i = 0; i < entries.size(); ++i) {
    entries[i].id = "u" + std::to_string(i);
    entries[i].group = i < 2 ? "g" : "h";
    entries[i].shape = {1000 * static_cast<int64_t>(i + 1), 1000};
    entries[i].weight = i == 1 ? 0.5 : 1;
  }
  Index all;
  all.append(Index(entries), "a", 2);
  all.append(Index(entries), "b", 1);
  REQUIRE(all.size() == 6);
  std::set<uint64_t> keys;
  std::map<std::string, uint32_t> groups;
  for (size_t i = 0; i < all.size(); ++i) {
    const IndexEntry entry = all[i];
    CHECK(entry.id == (i < 3 ? "a/u" : "b/u") + std::to_string(i % 3));
    CHECK(entry.shape == entries[i % 3].shape);
    CHECK(entry.weight == (i < 3 ? 2 : 1) * entries[i % 3].weight);
    CHECK(all.weight(i) == entry.weight);
    keys.insert(entry.key);
    CHECK(groups.try_emplace(entry.group, all.group(i)).first->second == all.group(i));
  }
  CHECK(keys.size() == 6);
  CHECK(groups.size() == 4);
  CHECK(all.groups() == 4);
  Index other;
  other.append(Index(entries), "b", 1);
  other.append(Index(entries), "a", 2);
  CHECK(other.checksum() != all.checksum());
  CHECK(Index(entries)[0].key == key_of("u0"));
}
